-- How many runs ended in which outcome, bucket by bucket?
-- since: start of the range or NULL; simulated: TRUE, FALSE or NULL for both; bucket: hour or day.
SELECT
  date_trunc($bucket, started_at AT TIME ZONE 'UTC') AS bucket,
  outcome,
  count(*) AS runs
FROM runs
WHERE (started_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
GROUP BY 1, 2
ORDER BY 1, 2
