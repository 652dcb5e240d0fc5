-- Since when are an agent's real traces kept?
SELECT min(started_at) AS oldest
FROM spans
WHERE agent_name = $agent
  AND NOT coalesce(simulated, false)
  AND experiment_id IS NULL
