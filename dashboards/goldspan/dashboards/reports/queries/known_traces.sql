-- Which of these traces are in the store?
SELECT DISTINCT trace_id FROM spans WHERE list_contains(CAST($traces AS VARCHAR[]), trace_id)
