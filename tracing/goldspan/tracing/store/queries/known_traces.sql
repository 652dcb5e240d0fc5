-- Which of the touched traces are stored already, and where do their input and output come from?
SELECT d.trace_id, d.rowid, d.input_span_id, d.output_span_id, d.input, d.output
FROM trace_data AS d
SEMI JOIN touched AS t ON t.trace_id = d.trace_id
