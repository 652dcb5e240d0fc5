-- Which stored spans give way to fuller incoming ones? They are removed.
DELETE FROM span_data
USING incoming
WHERE span_data.trace_id = incoming.trace_id AND span_data.span_id = incoming.span_id
