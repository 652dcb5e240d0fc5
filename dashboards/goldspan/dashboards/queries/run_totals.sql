-- How many runs were there, how did they end, and what did they use?
SELECT
  count(*) AS runs,
  count(*) FILTER (WHERE outcome = 'completed') AS completed,
  count(*) FILTER (WHERE outcome = 'paused') AS paused,
  count(*) FILTER (WHERE outcome = 'failed') AS failed,
  count(*) FILTER (WHERE outcome = 'aborted') AS aborted,
  count(*) FILTER (WHERE outcome = 'killed') AS killed,
  count(*) FILTER (WHERE outcome = 'running') AS running,
  min(started_at) AS first_at,
  max(started_at) AS last_at
FROM runs
WHERE (started_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
