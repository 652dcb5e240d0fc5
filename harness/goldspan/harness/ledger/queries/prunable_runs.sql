-- Which runs ended before a time, with nothing left to deliver?
SELECT run_id FROM goldspan_runs AS r
WHERE
    state = 'ended' AND at < :before AND emptied = 0
    AND NOT EXISTS (
        SELECT 1 FROM goldspan_deliveries AS d WHERE d.run_id = r.run_id AND d.done_at IS NULL
    )
ORDER BY at
LIMIT :most
