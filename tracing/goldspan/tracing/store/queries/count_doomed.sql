-- How much goes, and how much stays?
SELECT
    (SELECT count(*) FROM doomed_traces),
    (SELECT count(*) FROM span_data AS s SEMI JOIN doomed_traces AS d ON d.trace_id = s.trace_id),
    (SELECT count(*) FROM doomed_events),
    (SELECT count(*) FROM trace_data AS t ANTI JOIN doomed_traces AS d ON d.trace_id = t.trace_id),
    (SELECT count(*) FROM span_data)
