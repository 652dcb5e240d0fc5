-- What did people decide about each call, in runs of real traffic?
SELECT agent_name, agent_version, tool_name, arguments, decision, reviewer, decided_at
FROM approvals
WHERE status = 'decided'
  AND decision IN ('approve', 'edit', 'deny')
  AND experiment_id IS NULL
  AND simulated = FALSE
  AND (requested_at >= CAST($since AS TIMESTAMP) OR CAST($since AS TIMESTAMP) IS NULL)
ORDER BY requested_at, approval_id
