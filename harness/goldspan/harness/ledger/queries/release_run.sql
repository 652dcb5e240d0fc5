-- Does this run wait for a person to let it go on, and no flag holds it? Then the next sweep wakes it.
UPDATE goldspan_runs SET waits_for = 'kill:run:' || run_id, why = :why, at = :at
WHERE run_id = :run_id AND state = 'parked' AND waits_for LIKE 'version:%'
