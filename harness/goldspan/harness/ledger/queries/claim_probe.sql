-- May this call probe the tool? One may, after the cooldown; another, when that one is not heard of.
UPDATE goldspan_breakers SET
    state = 'half', probe_key = :key, probe_until = :until, retry_at = :until
WHERE
    tool = :tool
    AND ((state = 'open' AND retry_at <= :now) OR (state = 'half' AND probe_until <= :now))
