-- Which audit event is to be sent? One that waits, or was sent, is not put twice.
INSERT INTO goldspan_outbox (event_id, name, attributes, at, trace_id, span_id)
VALUES (:event_id, :event_name, :attributes, :at, :trace_id, :span_id)
ON CONFLICT DO NOTHING
