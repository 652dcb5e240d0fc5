-- How many traces ended with and without an error, bucket by bucket?
-- Named like runs_over_time, for agents that record no runs.
SELECT
  date_trunc($bucket, started_at AT TIME ZONE 'UTC') AS bucket,
  status AS outcome,
  count(*) AS runs
FROM traces
WHERE (started_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
GROUP BY 1, 2
ORDER BY 1, 2
