-- What is known of a run?
SELECT * FROM goldspan_runs WHERE run_id = :run_id
