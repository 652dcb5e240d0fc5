-- How often is each tool called, how often does it fail, and how long does it take?
SELECT
  tool_name,
  count(*) AS calls,
  count(DISTINCT trace_id) AS traces,
  count(*) FILTER (WHERE error_type IS NOT NULL) AS errors,
  count(*) FILTER (WHERE error_type IS NOT NULL) / count(*) AS error_rate,
  quantile_cont(duration_ms, 0.50) AS p50_ms,
  quantile_cont(duration_ms, 0.95) AS p95_ms,
  quantile_cont(duration_ms, 0.99) AS p99_ms
FROM tool_calls
WHERE (started_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
GROUP BY tool_name
ORDER BY calls DESC, tool_name
