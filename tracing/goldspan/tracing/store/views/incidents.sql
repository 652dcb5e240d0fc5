-- Where did a guard stop something, a breaker open, or a failure repeat?
CREATE VIEW incidents AS
SELECT
    event_id,
    observed_at,
    run_id,
    batch_id,
    trace_id,
    span_id,
    a[1] AS kind,
    a[2] AS severity,
    a[3] AS tool_name,
    a[4] AS reason,
    agent_name,
    coalesce(simulated, FALSE) AS simulated
FROM (
    SELECT
        *,
        json_extract_string(attributes, [
            '$."goldspan.incident.kind"',
            '$."goldspan.incident.severity"',
            '$."goldspan.incident.tool"',
            '$."goldspan.reason"'
        ]) AS a
    FROM event_data
    WHERE event_name = 'goldspan.incident'
);
