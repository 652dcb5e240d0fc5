-- What did one span ask a model, and what came back?
SELECT * FROM llm_calls WHERE trace_id = $trace AND span_id = $span
