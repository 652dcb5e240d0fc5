-- Which incidents happened in the report's runs?
SELECT
  c.event_id, c.run_id, c.trace_id, c.span_id, c.observed_at, c.kind, c.severity, c.tool_name,
  c.reason, coalesce(c.simulated, FALSE) AS simulated
FROM incidents AS c
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
        AND c.observed_at >= CAST($since AS TIMESTAMPTZ)
        AND (c.observed_at < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
      )
    )
  )
ORDER BY c.observed_at, c.event_id
