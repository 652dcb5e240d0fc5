-- Which messages of calls in these traces came in log records alone?
SELECT d.trace_id, d.span_id, d.system_instructions, d.input_messages, d.output_messages
FROM call_detail AS d
SEMI JOIN touched AS t ON t.trace_id = d.trace_id
