-- Which processes are dead for so long that nothing of theirs can be left?
DELETE FROM goldspan_executors WHERE dead = 1 AND beat < :before
