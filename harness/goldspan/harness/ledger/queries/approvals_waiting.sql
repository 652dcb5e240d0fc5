-- Which approvals wait for a person, the longest first?
SELECT id, run_id, digest, kind, proposal, context, state, decision, reviewers, asked_at, decided_at
FROM goldspan_approvals
WHERE state = 'asked'
ORDER BY asked_at, id
