-- Which alerts were fired in the period, or concern a time in it, and which traces show them best?
SELECT
  a.alert_id, a.fired_at, a.monitor, a.severity, a.metric, a.started_at, a.ended_at, a.value,
  a.baseline, a.unit, a.explanation, coalesce(a.simulated, FALSE) AS simulated,
  json_extract_string(e.attributes, '$."goldspan.alert.trace_ids"') AS trace_ids
FROM alerts AS a
LEFT JOIN events AS e ON e.event_id = a.event_id
WHERE (CAST($until AS TIMESTAMPTZ) IS NULL OR coalesce(a.started_at, a.fired_at) < CAST($until AS TIMESTAMPTZ))
  AND (
    a.fired_at >= CAST($since AS TIMESTAMPTZ)
    OR coalesce(a.ended_at, a.fired_at) >= CAST($since AS TIMESTAMPTZ)
  )
ORDER BY a.fired_at, a.alert_id
