-- Which traces make up one run, in order?
SELECT trace_id, started_at, duration_ms, outcome, status
FROM traces WHERE run_id = $run ORDER BY started_at, trace_id
