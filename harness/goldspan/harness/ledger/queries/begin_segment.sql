-- Which segment of its run begins here? 1 for the first.
INSERT INTO goldspan_runs (run_id, agent, digest, state, queue, batch, segment, started_at, at)
VALUES (:run_id, :agent, :digest, 'running', :queue, :batch, 1, :at, :at)
ON CONFLICT (run_id) DO UPDATE SET
    state = 'running', waits_for = NULL, why = NULL, outcome = NULL, scrubbed = 0, at = :at,
    segment = goldspan_runs.segment + 1
RETURNING segment
