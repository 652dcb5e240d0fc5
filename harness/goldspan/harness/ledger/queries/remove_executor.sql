-- Which process ended in order?
DELETE FROM goldspan_executors WHERE id = :id
