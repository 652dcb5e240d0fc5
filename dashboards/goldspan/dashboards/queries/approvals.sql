-- Which approvals were asked of people (an evaluation asks nobody), waiting ones first?
SELECT
  approval_id, run_id, trace_id, requested_at, decided_at, wait_ms, kind, tool_name, arguments,
  draft, claims, risk, recommendation, decision, reviewer, status,
  coalesce(simulated, FALSE) AS simulated
FROM approvals
WHERE (requested_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
  AND (status = CAST($status AS VARCHAR) OR CAST($status AS VARCHAR) IS NULL)
  AND NOT EXISTS (
    SELECT 1 FROM runs
    WHERE runs.run_id = approvals.run_id AND runs.experiment_id IS NOT NULL
  )
ORDER BY status = 'pending' DESC, requested_at DESC, approval_id
LIMIT $limit
