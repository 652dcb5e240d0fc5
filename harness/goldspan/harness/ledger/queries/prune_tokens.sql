-- Which tokens were given for a run's approvals? They go with it.
DELETE FROM goldspan_approval_tokens
WHERE approval IN (SELECT id FROM goldspan_approvals WHERE run_id = :run_id)
