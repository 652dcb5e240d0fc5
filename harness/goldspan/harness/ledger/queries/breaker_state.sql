-- What is known of this tool's breaker?
SELECT tool, state, failures, retry_at, probe_key, reason FROM goldspan_breakers WHERE tool = :tool
