-- Which calls did a run make? They go with it.
DELETE FROM goldspan_calls WHERE run_id = :run_id
