-- Which live traffic is there at all, for a message that says where to look?
SELECT
  simulated,
  agent_name,
  count(*) AS runs,
  min(started_at) AS first_at,
  max(started_at) AS last_at
FROM runs
WHERE experiment_id IS NULL AND outcome <> 'running'
GROUP BY simulated, agent_name
ORDER BY runs DESC, agent_name
