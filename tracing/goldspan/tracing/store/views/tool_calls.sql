-- Which tools were executed, with what, and what came back?
CREATE VIEW tool_calls AS
SELECT
    s.trace_id,
    s.span_id,
    s.parent_span_id,
    s.run_id,
    s.batch_id,
    s.started_at,
    s.duration_ms,
    coalesce(s.tool_name, d.tool_name) AS tool_name,
    coalesce(s.tool_call_id, d.tool_call_id) AS tool_call_id,
    s.tool_type,
    coalesce(s.tool_arguments, d.tool_arguments) AS arguments,
    coalesce(s.tool_result, d.tool_result) AS result,
    coalesce(s.error_type, d.error_type) AS error_type,
    s.error_message,
    s.session_id,
    s.user_id,
    s.agent_name,
    s.agent_version,
    s.reasoning,
    s.alternatives,
    s.confidence,
    coalesce(s.simulated, FALSE) AS simulated,
    s.experiment_id,
    s.case_id,
    s.case_repeat,
    s.service_name,
    s.scope_name,
    coalesce(s.ambiguous, FALSE) AS ambiguous
FROM span_data AS s
LEFT JOIN call_detail AS d ON d.trace_id = s.trace_id AND d.span_id = s.span_id
WHERE s.category = 'tool' AND s.is_duplicate IS NOT TRUE;
