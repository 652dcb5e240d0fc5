-- What was proposed and said about the calls of a run?
SELECT id, state, proposal, decision, context, reviewers FROM goldspan_approvals
WHERE run_id = :run_id
