-- Which calls that went by themselves wait for somebody to look at them?
SELECT id, run_id, digest, kind, proposal, context, state, decision, reviewers, asked_at, decided_at
FROM goldspan_approvals
WHERE state = 'sampled'
ORDER BY asked_at, id
