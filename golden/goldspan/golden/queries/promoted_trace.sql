-- What was asked in the traces whose id begins so, by which agent, and how did they end?
SELECT
  trace_id, run_id, started_at, agent_name, agent_version, agent_digest, input, output, outcome,
  status, llm_calls, simulated, experiment_id, case_id
FROM traces
WHERE starts_with(trace_id, $trace)
ORDER BY started_at DESC, trace_id
LIMIT 2
