-- Which audit events has nobody acknowledged yet, the oldest first?
SELECT event_id, name, attributes, at, trace_id, span_id FROM goldspan_outbox
WHERE sent_at IS NULL
ORDER BY at, event_id
LIMIT :most
