-- How many calls did each rule let go by itself, and what did people find who looked at some?
SELECT
    agent_name,
    tool_name,
    CAST(sum(let_go) AS BIGINT) AS let_go,
    CAST(sum(looked_at) AS BIGINT) AS looked_at,
    CAST(sum(found_wrong) AS BIGINT) AS found_wrong
FROM escalations
WHERE simulated = FALSE
  AND (day >= CAST(CAST($since AS TIMESTAMP) AS DATE) OR CAST($since AS TIMESTAMP) IS NULL)
GROUP BY agent_name, tool_name
HAVING sum(let_go) > 0
ORDER BY agent_name, tool_name
