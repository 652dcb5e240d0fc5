-- What did each model cost, day by day and agent by agent, spent and as recorded?
CREATE VIEW costs AS
SELECT
    CAST(started_at AS DATE) AS day,
    provider,
    coalesce(response_model, request_model) AS model,
    agent_name,
    agent_version,
    simulated,
    replayed,
    count(*) AS calls,
    CAST(sum(input_tokens) AS BIGINT) AS input_tokens,
    CAST(sum(output_tokens) AS BIGINT) AS output_tokens,
    sum(cost_usd) AS cost_usd,
    sum(spent_usd) AS spent_usd,
    count(*) FILTER (WHERE cost_usd IS NULL AND error_type IS NULL) AS unpriced_calls
FROM llm_calls
GROUP BY ALL;
