-- Which response ids are stored?
SELECT response_id
FROM span_data
WHERE response_id IS NOT NULL AND category IN ('llm', 'part')
