-- Which span states again the call or the tool execution of another one, and by which rule?
CREATE VIEW duplicates AS
SELECT trace_id, span_id, of_trace_id, of_span_id, rule
FROM duplicate_data;
