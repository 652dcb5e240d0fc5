-- Which details repeat the messages that their span holds? The repetition is dropped.
UPDATE call_detail
SET
    system_instructions = NULL,
    input_messages = CASE WHEN s.input_messages IS NULL THEN call_detail.input_messages END,
    output_messages = CASE WHEN s.output_messages IS NULL THEN call_detail.output_messages END
FROM span_data AS s
SEMI JOIN touched AS t ON t.trace_id = s.trace_id AND t.span_id = s.span_id
WHERE
    call_detail.trace_id = s.trace_id
    AND call_detail.span_id = s.span_id
    AND (s.input_messages IS NOT NULL OR s.output_messages IS NOT NULL)
