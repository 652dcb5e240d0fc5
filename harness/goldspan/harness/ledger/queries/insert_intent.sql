-- Is this call new, its run not stopped and its tool's breaker not open? Then it is written down.
INSERT INTO goldspan_calls
    (key, run_id, step, tool, agent, action_class, digest, approval, reserved, at)
SELECT
    CAST(:key AS TEXT), CAST(:run_id AS TEXT), CAST(:step AS INTEGER), CAST(:tool AS TEXT),
    CAST(:agent AS TEXT), CAST(:action_class AS TEXT), CAST(:digest AS TEXT),
    CAST(:approval AS TEXT), CAST(:reserved AS TEXT), CAST(:at AS DOUBLE PRECISION)
WHERE
    NOT EXISTS (SELECT 1 FROM goldspan_kills WHERE scope IN ('all', :run_scope, :agent_scope))
    AND NOT EXISTS (
        SELECT 1 FROM goldspan_breakers
        WHERE tool = :tool AND state <> 'closed' AND (probe_key IS NULL OR probe_key <> :key)
    )
ON CONFLICT DO NOTHING
