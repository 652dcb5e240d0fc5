-- Which limits were a run's own? They go with it.
DELETE FROM goldspan_limits WHERE scope = :scope
