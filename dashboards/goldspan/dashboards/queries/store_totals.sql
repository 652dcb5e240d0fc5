-- What does the store hold, simulated and real apart?
SELECT
  count(*) AS traces,
  count(*) FILTER (WHERE coalesce(simulated, FALSE)) AS simulated,
  count(*) FILTER (WHERE NOT coalesce(simulated, FALSE)) AS "real"
FROM traces
