-- Which model, for which agent version, cost how much?
SELECT
  provider, model, agent_name, agent_version,
  bool_or(coalesce(simulated, FALSE)) AS simulated,
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
GROUP BY 1, 2, 3, 4
ORDER BY cost_usd DESC NULLS LAST, calls DESC, provider, model, agent_name, agent_version
