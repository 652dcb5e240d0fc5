-- Which processes are dead?
SELECT id FROM goldspan_executors WHERE dead = 1
