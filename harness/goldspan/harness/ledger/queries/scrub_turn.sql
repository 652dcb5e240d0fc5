-- What stays of a turn's words, once its run has ended?
UPDATE goldspan_sessions SET task = :task, answer = :answer WHERE run_id = :run_id
