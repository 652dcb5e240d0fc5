-- Which runs are there, what does each wait for, and of whom? The newest first.
SELECT
    r.run_id, r.agent, r.state, r.waits_for, r.why, r.outcome, r.batch, r.segment, r.tokens, r.usd,
    r.started_at, r.at, a.kind AS approval_kind, a.proposal
FROM goldspan_runs AS r
LEFT JOIN goldspan_approvals AS a ON 'approval:' || a.id = r.waits_for
WHERE
    (CAST(:agent AS TEXT) IS NULL OR r.agent = CAST(:agent AS TEXT))
    AND (CAST(:batch AS TEXT) IS NULL OR r.batch = CAST(:batch AS TEXT))
    AND (CAST(:run_id AS TEXT) IS NULL OR r.run_id = CAST(:run_id AS TEXT))
    AND (CAST(:state AS TEXT) IS NULL OR r.state = CAST(:state AS TEXT))
    AND (r.state <> 'ended' OR r.at >= :ended_since)
ORDER BY r.started_at DESC, r.run_id
LIMIT :most
