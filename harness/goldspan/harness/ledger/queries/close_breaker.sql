-- Was it the probe that succeeded? Then the breaker closes.
UPDATE goldspan_breakers SET
    state = 'closed', failures = 0, opened_at = NULL, retry_at = NULL, probe_key = NULL,
    probe_until = NULL, reason = NULL
WHERE tool = :tool AND state = 'half' AND probe_key = :key
