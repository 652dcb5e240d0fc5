-- When was the kill switch practised last, and what came of it?
SELECT
  observed_at,
  coalesce(CAST(json_extract_string(attributes, '$."goldspan.passed"') AS BOOLEAN), false) AS passed,
  json_extract_string(attributes, '$."goldspan.drill.result"') AS result
FROM events
WHERE event_name = 'goldspan.drill'
ORDER BY observed_at DESC
LIMIT 1
