-- Which alerts did earlier checks report, of which agent, and from when to when?
SELECT
  a.alert_id,
  a.monitor,
  json_extract_string(e.attributes, '$."gen_ai.agent.name"') AS agent_name,
  a.started_at,
  a.ended_at,
  a.value > a.baseline AS rises
FROM alerts AS a
JOIN events AS e ON e.event_id = a.event_id
WHERE a.simulated = CAST($simulated AS BOOLEAN) AND a.started_at IS NOT NULL
ORDER BY a.started_at, a.alert_id
