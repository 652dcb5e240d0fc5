-- When is this result tried again, and why?
UPDATE goldspan_deliveries SET next_at = :next_at, problem = :problem
WHERE run_id = :run_id AND target = :target
