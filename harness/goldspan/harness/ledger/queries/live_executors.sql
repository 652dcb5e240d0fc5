-- Which processes work here?
SELECT id, host, pid, beat FROM goldspan_executors WHERE dead = 0 ORDER BY beat
