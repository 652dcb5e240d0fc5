-- Of which calls does nobody know whether they were made, and their runs wait for somebody to say?
SELECT c.key, c.run_id, c.tool, c.agent, c.digest, r.why, r.at
FROM goldspan_runs AS r
INNER JOIN goldspan_calls AS c ON 'unknown:' || c.key = r.waits_for
WHERE r.state = 'parked' AND c.resolution IS NULL
ORDER BY r.at, c.key
