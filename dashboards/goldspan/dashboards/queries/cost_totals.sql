-- What was spent, what would it have cost as recorded, and what has no price?
SELECT
  sum(calls) AS calls,
  sum(CASE WHEN replayed THEN calls ELSE 0 END) AS replayed_calls,
  sum(input_tokens) AS input_tokens,
  sum(output_tokens) AS output_tokens,
  sum(cost_usd) AS cost_usd,
  sum(spent_usd) AS spent_usd,
  sum(unpriced_calls) AS unpriced_calls
FROM costs
WHERE (day >= CAST($since AS DATE) OR CAST($since AS DATE) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
