-- How did one run end, and what did it leave behind?
SELECT
  run_id, trace_id, batch_id, outcome, reason, segments, contract, artifacts, next_actions,
  incidents, approvals_pending, replayed_calls, cost_usd, spent_usd
FROM runs WHERE run_id = $run
