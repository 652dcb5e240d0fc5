-- What did the stored calls in this range of rows use, and what are they said to cost?
SELECT
    s.rowid,
    s.started_at,
    s.operation,
    s.is_duplicate IS NOT TRUE AND coalesce(s.error_type, d.error_type) IS NULL AS counts,
    coalesce(s.provider, d.provider) AS provider,
    coalesce(s.request_model, d.request_model) AS request_model,
    coalesce(s.response_model, d.response_model) AS response_model,
    CASE WHEN d.usage_replaced THEN d.input_tokens ELSE coalesce(s.input_tokens, d.input_tokens) END AS input_tokens,
    CASE WHEN d.usage_replaced THEN d.output_tokens ELSE coalesce(s.output_tokens, d.output_tokens) END AS output_tokens,
    CASE WHEN d.usage_replaced THEN d.cached_input_tokens ELSE coalesce(s.cached_input_tokens, d.cached_input_tokens) END AS cached_input_tokens,
    CASE WHEN d.usage_replaced THEN d.cache_write_tokens ELSE coalesce(s.cache_write_tokens, d.cache_write_tokens) END AS cache_write_tokens,
    CASE WHEN d.usage_replaced THEN d.reasoning_tokens ELSE coalesce(s.reasoning_tokens, d.reasoning_tokens) END AS reasoning_tokens,
    s.cost_usd,
    s.price_source,
    s.price_version
FROM span_data AS s
LEFT JOIN call_detail AS d ON d.trace_id = s.trace_id AND d.span_id = s.span_id
WHERE s.category IN ('llm', 'part') AND s.rowid BETWEEN $first AND $last
