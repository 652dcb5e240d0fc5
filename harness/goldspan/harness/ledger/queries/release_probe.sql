-- Was this call to probe the tool, and did not? Then another may at once.
UPDATE goldspan_breakers SET
    state = 'open', retry_at = :now, probe_key = NULL, probe_until = NULL
WHERE tool = :tool AND state = 'half' AND probe_key = :key
