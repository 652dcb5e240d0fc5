-- Which traces came last?
SELECT trace_id
FROM traces
ORDER BY started_at DESC, trace_id
LIMIT 3
