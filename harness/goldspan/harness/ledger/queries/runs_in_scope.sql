-- How many runs of a kill flag's scope are in which state?
SELECT state, waits_for, count(*) AS runs FROM goldspan_runs
WHERE
    state <> 'ended'
    AND (
        CAST(:scope AS TEXT) = 'all'
        OR 'agent:' || agent = CAST(:scope AS TEXT)
        OR 'run:' || run_id = CAST(:scope AS TEXT)
    )
GROUP BY state, waits_for
