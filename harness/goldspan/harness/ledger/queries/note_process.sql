-- Which process makes this run?
UPDATE goldspan_runs SET why = :why WHERE run_id = :run_id AND state = 'running'
