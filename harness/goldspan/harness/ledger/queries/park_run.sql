-- What does this run wait for?
UPDATE goldspan_runs SET state = 'parked', waits_for = :waits_for, why = :why, at = :at
WHERE run_id = :run_id
