-- How many calls of each tool went to a person, and how long did people take?
SELECT
  agent_name,
  tool_name,
  CAST(sum(calls) AS BIGINT) AS calls,
  CAST(sum(asked) AS BIGINT) AS asked,
  sum(asked) / sum(calls) AS escalation_rate,
  CAST(sum(approved) AS BIGINT) AS approved,
  CAST(sum(edited) AS BIGINT) AS edited,
  CAST(sum(denied) AS BIGINT) AS denied,
  CAST(sum(pending) AS BIGINT) AS pending,
  max(wait_max_ms) AS wait_max_ms,
  CAST(sum(let_go) AS BIGINT) AS let_go,
  CAST(sum(looked_at) AS BIGINT) AS looked_at,
  CAST(sum(found_wrong) AS BIGINT) AS found_wrong
FROM escalations
WHERE (day >= CAST(CAST($since AS TIMESTAMP) AS DATE) OR CAST($since AS TIMESTAMP) IS NULL)
  AND (simulated = CAST($simulated AS BOOLEAN) OR CAST($simulated AS BOOLEAN) IS NULL)
GROUP BY agent_name, tool_name
ORDER BY asked DESC, agent_name, tool_name
