-- How did this run end?
UPDATE goldspan_runs SET
    state = 'ended', waits_for = NULL, why = :why, outcome = :outcome, tokens = :tokens,
    usd = :usd, at = :at
WHERE
    run_id = :run_id AND state = 'running'
    AND segment = coalesce(CAST(:segment AS INTEGER), segment)
