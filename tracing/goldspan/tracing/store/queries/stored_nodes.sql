-- What do the spans in these rows say, apart from their texts?
SELECT
    s.trace_id, s.span_id, s.parent_span_id, coalesce(s.scope_name, ''), s.category, s.operation, s.kind,
    coalesce(epoch_us(s.started_at), 0), epoch_us(s.ended_at), s.provider, s.request_model, s.response_model,
    s.response_id, s.input_tokens, s.output_tokens, s.cached_input_tokens, s.cache_write_tokens,
    s.reasoning_tokens, s.usage_estimated, s.tool_name, s.tool_call_id, s.error_type, s.replayed,
    CASE WHEN s.category = 'tool' THEN s.tool_arguments ELSE s.input_messages END IS NOT NULL,
    CASE WHEN s.category = 'tool' THEN s.tool_result ELSE s.output_messages END IS NOT NULL,
    s.name, s.status,
    s.service_name, s.outcome, s.rowid, coalesce(s.inherited, 0),
    coalesce(s.is_duplicate, FALSE), coalesce(s.ambiguous, FALSE),
    s.cost_usd, s.price_source, s.price_version,
    s.run_id, s.batch_id, s.experiment_id, s.suite, s.case_id, s.case_repeat, s.agent_name,
    s.agent_version, s.agent_digest, s.session_id, s.user_id, s.simulated,
    s.fullness
FROM span_data AS s
SEMI JOIN touched AS t ON t.rowid = s.rowid
WHERE s.rowid BETWEEN $first AND $last
