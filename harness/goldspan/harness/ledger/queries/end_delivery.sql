-- Did this result arrive, or is it given up, and why?
UPDATE goldspan_deliveries SET done_at = :at, problem = :problem
WHERE run_id = :run_id AND target = :target
