-- Which tool did one span call, with what, and what came back?
SELECT * FROM tool_calls WHERE trace_id = $trace AND span_id = $span
