-- Where did a run's result go? The record goes with it.
DELETE FROM goldspan_deliveries WHERE run_id = :run_id
