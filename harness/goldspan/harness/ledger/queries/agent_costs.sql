-- What did the last runs of this agent cost?
SELECT usd, tokens FROM goldspan_runs
WHERE agent = :agent AND state = 'ended' AND tokens > 0
ORDER BY at DESC
LIMIT :runs
