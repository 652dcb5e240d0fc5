-- Which process is known to be gone, and what it had is to be taken over?
UPDATE goldspan_executors SET dead = 1 WHERE id = :id
