-- Which batches are the newest?
SELECT batch_id AS id FROM runs WHERE batch_id IS NOT NULL
GROUP BY batch_id ORDER BY max(started_at) DESC, batch_id LIMIT 3
