-- What is known of one approval?
SELECT id, run_id, digest, kind, proposal, context, state, decision, reviewers, asked_at, decided_at
FROM goldspan_approvals
WHERE id = :id
