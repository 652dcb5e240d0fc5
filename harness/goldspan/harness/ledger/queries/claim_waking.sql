-- Does this process wake the run? Only one does.
UPDATE goldspan_runs SET state = 'waking', at = :at
WHERE run_id = :run_id AND (state = 'parked' OR (state = 'waking' AND at < :stale))
