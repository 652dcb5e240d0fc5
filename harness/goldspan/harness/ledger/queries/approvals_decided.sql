-- Which approvals were decided, the newest first?
SELECT id, run_id, digest, kind, proposal, context, state, decision, reviewers, asked_at, decided_at
FROM goldspan_approvals
WHERE state IN ('approved', 'edited', 'denied', 'used')
ORDER BY decided_at DESC, id
LIMIT :most
