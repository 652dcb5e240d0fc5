-- Which kill flags stop this run?
SELECT scope, by_whom, reason FROM goldspan_kills
WHERE scope IN ('all', :run_scope, :agent_scope)
ORDER BY at
