-- Which audit event was acknowledged?
UPDATE goldspan_outbox SET sent_at = :at WHERE event_id = :event_id AND sent_at IS NULL
