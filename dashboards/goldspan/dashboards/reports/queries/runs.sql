-- What became of each run of the report?
-- run, batch: that one or NULL; since, until: the period in which it started, or NULL.
SELECT
  run_id, batch_id, trace_id, span_id, agent_name, agent_version, input, output, started_at, ended_at,
  duration_ms, outcome, reason, segments, llm_calls, tool_calls, tool_errors, input_tokens,
  output_tokens, cost_usd, spent_usd, unpriced_calls, replayed_calls, contract, artifacts,
  next_actions, coalesce(simulated, FALSE) AS simulated, experiment_id, case_id, case_repeat
FROM runs
WHERE (run_id = CAST($run AS VARCHAR) OR CAST($run AS VARCHAR) IS NULL)
  AND (batch_id = CAST($batch AS VARCHAR) OR CAST($batch AS VARCHAR) IS NULL)
  AND (started_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
  AND (started_at < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
ORDER BY started_at, run_id
