-- What stands in words about the calls of a run?
SELECT key, resolution, refusal FROM goldspan_calls
WHERE run_id = :run_id AND (resolution IS NOT NULL OR refusal IS NOT NULL)
