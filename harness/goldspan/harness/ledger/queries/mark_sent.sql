-- Which audit event was acknowledged? The store has what it says.
UPDATE goldspan_outbox SET sent_at = :at, attributes = '{}'
WHERE event_id = :event_id AND sent_at IS NULL
