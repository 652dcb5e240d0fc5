-- Which events were recorded in one trace, in order?
SELECT event_name, observed_at, span_id, attributes, body
FROM events WHERE trace_id = $trace ORDER BY observed_at, event_name
