-- Which log records are there, with everything that came with them?
CREATE VIEW events AS
SELECT
    event_id,
    event_name,
    observed_at,
    trace_id,
    span_id,
    run_id,
    batch_id,
    experiment_id,
    suite,
    case_id,
    case_repeat,
    agent_name,
    agent_version,
    agent_digest,
    session_id,
    user_id,
    coalesce(simulated, FALSE) AS simulated,
    severity,
    service_name,
    scope_name,
    CAST(attributes AS JSON) AS attributes,
    CAST(body AS JSON) AS body,
    CAST(resource AS JSON) AS resource
FROM event_data;
