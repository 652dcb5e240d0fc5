-- Which processes have not beaten for too long? They are dead from now on.
UPDATE goldspan_executors SET dead = 1 WHERE beat < :before AND dead = 0
