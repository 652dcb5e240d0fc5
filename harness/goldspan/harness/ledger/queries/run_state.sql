-- What is known of a run?
SELECT
    run_id, agent, digest, state, waits_for, why, outcome, queue, batch, segment, tokens, usd,
    started_at, at
FROM goldspan_runs WHERE run_id = :run_id
