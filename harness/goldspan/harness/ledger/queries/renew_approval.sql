-- What is asked now, where the call or its draft changed before anybody decided?
UPDATE goldspan_approvals SET
    digest = :digest, kind = :kind, proposal = :proposal, context = :context, decision = NULL,
    reviewers = NULL
WHERE id = :id AND state = 'asked'
