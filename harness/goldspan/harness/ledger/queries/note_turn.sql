-- What was asked and answered in this session? A run that ends again, after a crash, says it once.
INSERT INTO goldspan_sessions (run_id, session, agent, task, answer, at)
VALUES (:run_id, :session, :agent, :task, :answer, :at)
ON CONFLICT DO NOTHING
