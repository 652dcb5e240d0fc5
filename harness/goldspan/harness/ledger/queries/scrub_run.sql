-- Are the texts of this run redacted?
UPDATE goldspan_runs SET why = :why, scrubbed = 1 WHERE run_id = :run_id AND state = 'ended'
