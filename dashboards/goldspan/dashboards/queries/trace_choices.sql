-- Which values can traces be filtered by, and how many traces has each?
SELECT 'agent' AS kind, agent_name AS value, count(*) AS traces
FROM traces WHERE agent_name IS NOT NULL GROUP BY 2
UNION ALL
SELECT 'version', agent_version, count(*)
FROM traces WHERE agent_version IS NOT NULL GROUP BY 2
UNION ALL
SELECT 'outcome', coalesce(outcome, status), count(*)
FROM traces GROUP BY 2
UNION ALL
SELECT 'experiment', experiment_id, count(*)
FROM traces WHERE experiment_id IS NOT NULL GROUP BY 2
UNION ALL
SELECT 'tool', tool_name, count(*)
FROM tool_calls WHERE tool_name IS NOT NULL GROUP BY 2
UNION ALL
SELECT 'model', coalesce(response_model, request_model), count(*)
FROM llm_calls WHERE coalesce(response_model, request_model) IS NOT NULL GROUP BY 2
ORDER BY 1, 2
