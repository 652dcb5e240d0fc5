-- Which runs are the newest?
SELECT run_id AS id FROM runs ORDER BY started_at DESC, run_id LIMIT 3
