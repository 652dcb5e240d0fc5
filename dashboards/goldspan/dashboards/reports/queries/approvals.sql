-- Which approvals did the report's runs ask for, and who decided them?
SELECT
  c.approval_id, c.run_id, c.trace_id, c.span_id, c.requested_at, c.decided_at, c.wait_ms, c.kind,
  c.tool_name, c.arguments, c.draft, c.claims, c.risk, c.recommendation, c.decision, c.reviewer,
  c.status, c.edited_arguments, c.reason, coalesce(c.simulated, FALSE) AS simulated
FROM approvals AS c
WHERE c.run_id IN (
    SELECT r.run_id FROM runs AS r
    WHERE (r.run_id = CAST($run AS VARCHAR) OR CAST($run AS VARCHAR) IS NULL)
      AND (r.batch_id = CAST($batch AS VARCHAR) OR CAST($batch AS VARCHAR) IS NULL)
      AND (r.started_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
      AND (r.started_at < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
  )
  OR (
    c.run_id IS NULL
    AND CAST($run AS VARCHAR) IS NULL
    AND (
      c.batch_id = CAST($batch AS VARCHAR)
      OR (
        CAST($batch AS VARCHAR) IS NULL
        AND c.requested_at >= CAST($since AS TIMESTAMPTZ)
        AND (c.requested_at < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
      )
    )
  )
ORDER BY c.requested_at, c.approval_id
