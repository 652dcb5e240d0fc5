-- Does this call's failure open the breaker? One of enough in a row does, and that of the probe.
UPDATE goldspan_breakers SET
    state = 'open', opened_at = :at, retry_at = :retry_at, probe_key = NULL, probe_until = NULL
WHERE
    tool = :tool
    AND ((state = 'closed' AND failures >= :threshold) OR (state = 'half' AND probe_key = :key))
