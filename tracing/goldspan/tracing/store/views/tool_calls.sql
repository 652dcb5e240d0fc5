-- Which tools were executed, with what, and what came back?
CREATE VIEW tool_calls AS
SELECT
    s.trace_id,
    s.span_id,
    s.parent_span_id,
    coalesce(s.run_id, c.run_id) AS run_id,
    coalesce(s.batch_id, c.batch_id) AS batch_id,
    s.started_at,
    s.duration_ms,
    s.tool_name,
    s.tool_call_id,
    s.tool_type,
    s.tool_arguments AS arguments,
    s.tool_result AS result,
    s.error_type,
    s.error_message,
    coalesce(s.session_id, c.session_id) AS session_id,
    coalesce(s.user_id, c.user_id) AS user_id,
    coalesce(s.agent_name, c.agent_name) AS agent_name,
    coalesce(s.agent_version, c.agent_version) AS agent_version,
    coalesce(s.simulated, c.simulated, FALSE) AS simulated,
    coalesce(s.experiment_id, c.experiment_id) AS experiment_id,
    coalesce(s.case_id, c.case_id) AS case_id,
    coalesce(s.case_repeat, c.case_repeat) AS case_repeat,
    s.service_name
FROM span_data AS s
LEFT JOIN span_context AS c ON c.trace_id = s.trace_id AND c.span_id = s.span_id
WHERE s.category = 'tool';
