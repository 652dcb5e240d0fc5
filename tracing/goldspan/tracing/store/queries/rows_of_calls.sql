-- In which rows are the calls?
SELECT rowid
FROM span_data
WHERE category IN ('llm', 'part')
ORDER BY rowid
