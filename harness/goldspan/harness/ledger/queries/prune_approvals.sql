-- Which approvals did a run ask for? They go with it.
DELETE FROM goldspan_approvals WHERE run_id = :run_id
