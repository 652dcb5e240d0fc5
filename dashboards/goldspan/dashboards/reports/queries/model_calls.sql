-- What did the model calls of the report take and cost, by trace and model?
-- Calls outside of any run count in the period in which they started.
SELECT
  c.run_id, c.trace_id, c.provider, coalesce(c.response_model, c.request_model) AS model,
  coalesce(c.simulated, FALSE) AS simulated, c.experiment_id,
  min(c.started_at) AS started_at,
  count(*) AS calls,
  count(*) FILTER (WHERE c.replayed) AS replayed_calls,
  count(*) FILTER (WHERE c.error_type IS NOT NULL) AS errors,
  CAST(sum(c.input_tokens) AS BIGINT) AS input_tokens,
  CAST(sum(c.output_tokens) AS BIGINT) AS output_tokens,
  sum(c.cost_usd) AS cost_usd,
  sum(c.spent_usd) AS spent_usd,
  count(*) FILTER (WHERE c.cost_usd IS NULL AND c.error_type IS NULL) AS unpriced_calls,
  count(*) FILTER (WHERE c.spent_usd IS NULL AND c.error_type IS NULL) AS unspent_calls
FROM llm_calls AS c
WHERE c.run_id IN (
    SELECT r.run_id FROM runs AS r
    WHERE (r.run_id = CAST($run AS VARCHAR) OR CAST($run AS VARCHAR) IS NULL)
      AND (r.batch_id = CAST($batch AS VARCHAR) OR CAST($batch AS VARCHAR) IS NULL)
      AND (r.started_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
      AND (r.started_at < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
  )
  OR (
    c.run_id IS NULL
    AND CAST($run AS VARCHAR) IS NULL
    AND (
      c.batch_id = CAST($batch AS VARCHAR)
      OR (
        CAST($batch AS VARCHAR) IS NULL
        AND c.started_at >= CAST($since AS TIMESTAMPTZ)
        AND (c.started_at < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
      )
    )
  )
GROUP BY ALL
ORDER BY started_at, c.trace_id, provider, model
