-- What stays of an approval's words, once its run has ended?
UPDATE goldspan_approvals SET
    proposal = :proposal, decision = :decision, context = :context, reviewers = :reviewers
WHERE id = :id
