-- Which incidents were recorded, newest first?
SELECT
  event_id, observed_at, run_id, trace_id, span_id, kind, severity, tool_name, reason,
  agent_name, coalesce(simulated, FALSE) AS simulated
FROM incidents
WHERE (observed_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
ORDER BY observed_at DESC, event_id
LIMIT $limit
