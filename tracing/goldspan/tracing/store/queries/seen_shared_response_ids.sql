-- Which response ids are in more than one trace?
SELECT response_id
FROM span_data
WHERE response_id IS NOT NULL AND category IN ('llm', 'part')
GROUP BY response_id
HAVING min(trace_id) <> max(trace_id)
