-- Has nobody else said anything about it meanwhile? Then this is what was said.
UPDATE goldspan_approvals SET
    state = :state, digest = :digest, kind = :kind, decision = :decision, reviewers = :reviewers,
    decided_at = :decided_at
WHERE
    id = :id AND state = :was AND digest = :was_digest
    AND coalesce(reviewers, '') = :was_reviewers
