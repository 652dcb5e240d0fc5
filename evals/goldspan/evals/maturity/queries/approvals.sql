-- How many of an agent's real approvals were decided, how soon, and how old is the oldest that waits?
SELECT
  count(*) FILTER (WHERE a.status <> 'pending') AS decided,
  count(DISTINCT a.reviewer) AS reviewers,
  count(*) FILTER (WHERE a.status <> 'pending' AND a.wait_ms <= 86400000) AS in_a_day,
  max(a.wait_ms) FILTER (WHERE a.status <> 'pending') AS longest_ms,
  count(*) FILTER (WHERE a.status = 'pending') AS pending,
  min(a.requested_at) FILTER (WHERE a.status = 'pending') AS oldest,
  arg_min(a.trace_id, a.requested_at) FILTER (WHERE a.status = 'pending') AS oldest_trace
FROM approvals AS a
JOIN runs AS r ON r.run_id = a.run_id
WHERE r.agent_digest = $digest
  AND NOT coalesce(a.simulated, false)
  AND r.experiment_id IS NULL
