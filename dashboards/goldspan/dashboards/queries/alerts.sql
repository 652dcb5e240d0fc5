-- Which alerts fired, newest first?
SELECT
  alert_id, fired_at, monitor, severity, metric, started_at, ended_at,
  value, baseline, unit, explanation, coalesce(simulated, FALSE) AS simulated
FROM alerts
WHERE (fired_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
ORDER BY fired_at DESC, alert_id
LIMIT $limit
