-- Who is whose parent in the touched traces, and what does each span say of its context?
SELECT
    trace_id, span_id, parent_span_id, category, run_id, batch_id, experiment_id, suite, case_id,
    case_repeat, agent_name, agent_version, agent_digest, session_id, user_id, simulated
FROM span_data
WHERE trace_id IN (SELECT trace_id FROM touched)
ORDER BY trace_id, started_at, span_id
