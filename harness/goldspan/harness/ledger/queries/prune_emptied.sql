-- Which emptied runs are not among the last of their agent, whose cost is looked at?
DELETE FROM goldspan_runs
WHERE run_id IN (
    SELECT run_id FROM (
        SELECT run_id, emptied, row_number() OVER (PARTITION BY agent ORDER BY at DESC) AS nth
        FROM goldspan_runs WHERE state = 'ended'
    ) AS ended
    WHERE nth > :kept AND emptied = 1
)
