-- What do the traces cost, now that their calls have other prices?
UPDATE trace_data
SET cost_usd = c.cost_usd, spent_usd = c.spent_usd, unpriced_calls = c.unpriced_calls
FROM (
    SELECT
        trace_id,
        sum(cost_usd) AS cost_usd,
        sum(spent_usd) AS spent_usd,
        count(*) FILTER (WHERE cost_usd IS NULL AND error_type IS NULL) AS unpriced_calls
    FROM llm_calls
    GROUP BY trace_id
) AS c
WHERE c.trace_id = trace_data.trace_id
