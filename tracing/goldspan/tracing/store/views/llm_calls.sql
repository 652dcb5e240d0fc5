-- Which calls reached a model, what was said, and what did each use and cost?
CREATE VIEW llm_calls AS
SELECT
    s.trace_id,
    s.span_id,
    s.parent_span_id,
    coalesce(s.run_id, c.run_id) AS run_id,
    coalesce(s.batch_id, c.batch_id) AS batch_id,
    s.started_at,
    s.duration_ms,
    s.operation,
    coalesce(s.provider, d.provider) AS provider,
    coalesce(s.request_model, d.request_model) AS request_model,
    coalesce(s.response_model, d.response_model) AS response_model,
    coalesce(s.response_id, d.response_id) AS response_id,
    coalesce(s.input_tokens, d.input_tokens) AS input_tokens,
    coalesce(s.output_tokens, d.output_tokens) AS output_tokens,
    coalesce(s.cached_input_tokens, d.cached_input_tokens) AS cached_input_tokens,
    coalesce(s.cache_write_tokens, d.cache_write_tokens) AS cache_write_tokens,
    coalesce(s.reasoning_tokens, d.reasoning_tokens) AS reasoning_tokens,
    coalesce(s.finish_reasons, d.finish_reasons) AS finish_reasons,
    coalesce(s.system_instructions, d.system_instructions) AS system_instructions,
    coalesce(s.input_messages, d.input_messages) AS input_messages,
    coalesce(s.output_messages, d.output_messages) AS output_messages,
    coalesce(s.session_id, d.session_id, c.session_id) AS session_id,
    coalesce(s.user_id, d.user_id, c.user_id) AS user_id,
    coalesce(s.agent_name, c.agent_name) AS agent_name,
    coalesce(s.agent_version, c.agent_version) AS agent_version,
    coalesce(s.error_type, d.error_type) AS error_type,
    s.error_message,
    p.cost_usd,
    CASE WHEN s.replayed THEN 0.0 ELSE p.cost_usd END AS spent_usd,
    coalesce(s.replayed, FALSE) AS replayed,
    p.price_source,
    p.price_version,
    coalesce(s.simulated, c.simulated, FALSE) AS simulated,
    coalesce(s.experiment_id, c.experiment_id) AS experiment_id,
    coalesce(s.case_id, c.case_id) AS case_id,
    coalesce(s.case_repeat, c.case_repeat) AS case_repeat,
    s.service_name,
    s.scope_name,
    coalesce(s.time_to_first_token_ms, d.time_to_first_token_ms) AS time_to_first_token_ms
FROM span_data AS s
LEFT JOIN span_context AS c ON c.trace_id = s.trace_id AND c.span_id = s.span_id
LEFT JOIN call_detail AS d ON d.trace_id = s.trace_id AND d.span_id = s.span_id
LEFT JOIN call_price AS p ON p.trace_id = s.trace_id AND p.span_id = s.span_id
WHERE s.category = 'llm';
