-- Which runs of live traffic started in this window, and what did each use?
-- Runs of experiments are no traffic. agent: one agent's name, or NULL for all.
SELECT
  run_id, trace_id, agent_name, started_at, outcome, tool_calls, llm_calls, input_tokens,
  cost_usd, unpriced_calls
FROM runs
WHERE experiment_id IS NULL
  AND outcome <> 'running'
  AND simulated = CAST($simulated AS BOOLEAN)
  AND started_at >= CAST($since AS TIMESTAMPTZ)
  AND started_at < CAST($until AS TIMESTAMPTZ)
  AND (agent_name = CAST($agent AS VARCHAR) OR CAST($agent AS VARCHAR) IS NULL)
ORDER BY started_at, run_id
