-- What did a run answer in its session? It goes with the run.
DELETE FROM goldspan_sessions WHERE run_id = :run_id
