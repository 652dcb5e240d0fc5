-- Is there an unused approval of exactly this call? Then it is used up.
UPDATE goldspan_approvals SET state = 'used'
WHERE id = :approval AND digest = :digest AND state IN ('approved', 'edited')
