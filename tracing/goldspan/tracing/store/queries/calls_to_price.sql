-- Which touched model calls are there, with the tokens that span and details know together?
SELECT
    s.trace_id,
    s.span_id,
    s.started_at,
    s.operation,
    coalesce(s.provider, d.provider) AS provider,
    coalesce(s.request_model, d.request_model) AS request_model,
    coalesce(s.response_model, d.response_model) AS response_model,
    coalesce(s.input_tokens, d.input_tokens) AS input_tokens,
    coalesce(s.output_tokens, d.output_tokens) AS output_tokens,
    coalesce(s.cached_input_tokens, d.cached_input_tokens) AS cached_input_tokens,
    coalesce(s.cache_write_tokens, d.cache_write_tokens) AS cache_write_tokens
FROM span_data AS s
SEMI JOIN touched AS t ON t.trace_id = s.trace_id AND t.span_id = s.span_id
LEFT JOIN call_detail AS d ON d.trace_id = s.trace_id AND d.span_id = s.span_id
WHERE s.category = 'llm'
