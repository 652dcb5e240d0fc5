-- Which agent's segments does a run (or a trace without one) have, in order?
SELECT
  trace_id, span_id, started_at, agent_name, agent_version, agent_digest, provider, request_model,
  input_messages, output_messages, outcome, reason, case_id, case_repeat, run_id,
  json_extract_string(attributes, '$."goldspan.run.setup"') AS setup,
  CAST(json_extract_string(attributes, '$."goldspan.run.setup.bytes"') AS BIGINT) AS setup_bytes,
  json_extract_string(attributes, '$."goldspan.session.earlier"') AS earlier
FROM spans
WHERE category = 'agent'
  AND (run_id = $run OR ($run IS NULL AND trace_id = $trace))
  AND NOT is_duplicate
ORDER BY started_at, span_id
