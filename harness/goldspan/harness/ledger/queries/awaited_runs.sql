-- Which parked runs have what they waited for?
SELECT run_id, queue, waits_for FROM goldspan_runs AS r
WHERE
    (state = 'parked' OR (state = 'waking' AND at < :stale))
    AND NOT EXISTS (
        SELECT 1 FROM goldspan_kills AS k
        WHERE k.scope IN ('all', 'run:' || r.run_id, 'agent:' || r.agent)
    )
    AND (
        waits_for LIKE 'kill:%'
        OR EXISTS (
            SELECT 1 FROM goldspan_approvals AS a
            WHERE 'approval:' || a.id = r.waits_for AND a.state <> 'asked'
        )
        OR EXISTS (
            SELECT 1 FROM goldspan_calls AS c
            WHERE 'unknown:' || c.key = r.waits_for AND c.resolution IS NOT NULL
        )
        OR (
            waits_for LIKE 'breaker:%'
            AND NOT EXISTS (
                SELECT 1 FROM goldspan_breakers AS b
                WHERE 'breaker:' || b.tool = r.waits_for AND b.state <> 'closed'
                    AND b.retry_at > :now
            )
        )
    )
ORDER BY at
