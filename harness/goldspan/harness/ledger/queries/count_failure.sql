-- How many failures in a row does this tool have now? A row begins anew after a long pause.
INSERT INTO goldspan_breakers (tool, state, failures, failed_at, reason)
VALUES (:tool, 'closed', 1, :at, :reason)
ON CONFLICT (tool) DO UPDATE SET
    failures = CASE
        WHEN goldspan_breakers.state <> 'closed' THEN goldspan_breakers.failures
        WHEN goldspan_breakers.failed_at < :forgotten THEN 1
        ELSE goldspan_breakers.failures + 1
    END,
    failed_at = :at, reason = :reason
RETURNING state, failures
