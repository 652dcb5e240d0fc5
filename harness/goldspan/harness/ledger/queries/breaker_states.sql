-- Which tools have failed lately, and which are left alone?
SELECT tool, state, failures, retry_at, probe_key, reason FROM goldspan_breakers
WHERE state <> 'closed' OR failures > 0
ORDER BY tool
