-- What did each day cost, by model, agent or agent version?
-- part: model, agent or version.
SELECT
  day,
  CASE CAST($part AS VARCHAR)
    WHEN 'model' THEN coalesce(model, 'unknown')
    WHEN 'agent' THEN coalesce(agent_name, 'unknown')
    ELSE coalesce(agent_name, 'unknown') || ' ' || coalesce(agent_version, '')
  END AS part,
  sum(calls) AS calls,
  sum(input_tokens) AS input_tokens,
  sum(output_tokens) AS output_tokens,
  sum(cost_usd) AS cost_usd,
  sum(spent_usd) AS spent_usd
FROM costs
WHERE (day >= CAST($since AS DATE) OR CAST($since AS DATE) IS NULL)
  AND (coalesce(simulated, FALSE) = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
GROUP BY 1, 2
ORDER BY 1, 2
