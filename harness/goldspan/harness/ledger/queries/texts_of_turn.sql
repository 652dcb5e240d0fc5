-- What does a run's turn in its session say?
SELECT task, answer FROM goldspan_sessions WHERE run_id = :run_id
