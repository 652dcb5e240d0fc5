-- What did earlier runs of this session answer? The newest first.
SELECT task, answer FROM goldspan_sessions
WHERE session = :session AND agent = :agent AND run_id <> :run_id
ORDER BY at DESC, run_id
LIMIT :most
