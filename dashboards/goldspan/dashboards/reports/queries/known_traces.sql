-- Which of these traces are in the store, and which span stands for each: its agent's, else its first?
SELECT
  trace_id,
  coalesce(
    arg_min(span_id, started_at) FILTER (WHERE category = 'agent'),
    arg_min(span_id, started_at)
  ) AS span_id
FROM spans
WHERE list_contains(CAST($traces AS VARCHAR[]), trace_id)
GROUP BY trace_id
