-- Has nobody been asked about this call yet? Then somebody is now.
INSERT INTO goldspan_approvals (id, run_id, digest, kind, proposal, context, state, asked_at)
VALUES (:id, :run_id, :digest, :kind, :proposal, :context, :state, :at)
ON CONFLICT DO NOTHING
