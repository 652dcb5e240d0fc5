-- Which of the touched traces are stored already, when did their spans start, and where are their texts?
SELECT
    d.trace_id, d.rowid, d.input_span_id, d.output_span_id, d.started_at, d.last_started_at
FROM trace_data AS d
SEMI JOIN touched AS t ON t.trace_id = d.trace_id
