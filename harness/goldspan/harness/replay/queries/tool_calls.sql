-- Which tools did a run (or a trace without one) execute, attempt by attempt, and what came back?
WITH failed AS (
  SELECT
    json_extract_string(attributes, '$."goldspan.call.key"') AS call_key,
    arg_max(
      json_extract_string(attributes, '$."goldspan.error.class"'), observed_at
    ) AS error_class
  FROM events
  WHERE event_name = 'goldspan.call.failed'
    AND (run_id = $run OR ($run IS NULL AND trace_id = $trace))
  GROUP BY 1
),
called AS (
  SELECT
    t.trace_id, t.span_id, t.started_at, t.tool_name, t.tool_call_id, t.arguments, t.result,
    t.error_type, t.error_message,
    json_extract_string(s.attributes, '$."goldspan.call.key"') AS call_key
  FROM tool_calls AS t
  JOIN spans AS s ON s.trace_id = t.trace_id AND s.span_id = t.span_id
  WHERE t.run_id = $run OR ($run IS NULL AND t.trace_id = $trace)
)
SELECT c.*, f.error_class
FROM called AS c
LEFT JOIN failed AS f ON f.call_key = c.call_key
ORDER BY c.started_at, c.span_id
