-- Which models have calls without a price?
SELECT provider, model, sum(unpriced_calls) AS calls
FROM costs
WHERE (day >= CAST($since AS DATE) OR CAST($since AS DATE) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
GROUP BY 1, 2
HAVING sum(unpriced_calls) > 0
ORDER BY calls DESC, provider, model
