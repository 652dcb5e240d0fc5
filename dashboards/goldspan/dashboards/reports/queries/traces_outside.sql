-- Which traces of the report belong to no run?
SELECT
  trace_id, started_at, coalesce(outcome, status) AS outcome,
  coalesce(simulated, FALSE) AS simulated, experiment_id
FROM traces
WHERE run_id IS NULL
  AND CAST($run AS VARCHAR) IS NULL
  AND (
    batch_id = CAST($batch AS VARCHAR)
    OR (
      CAST($batch AS VARCHAR) IS NULL
      AND started_at >= CAST($since AS TIMESTAMPTZ)
      AND (started_at < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
    )
  )
ORDER BY started_at, trace_id
