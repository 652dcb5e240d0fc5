-- Does this process deliver this result? Only one does, and which attempt it is.
INSERT INTO goldspan_deliveries (run_id, target, attempts, next_at)
VALUES (:run_id, :target, 1, :until)
ON CONFLICT (run_id, target) DO UPDATE SET
    attempts = goldspan_deliveries.attempts + 1, next_at = :until
WHERE goldspan_deliveries.done_at IS NULL AND goldspan_deliveries.next_at <= :now
RETURNING attempts
