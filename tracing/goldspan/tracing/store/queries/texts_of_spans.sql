-- What are the messages of these stored spans?
SELECT s.rowid, s.input_messages, s.output_messages
FROM span_data AS s
SEMI JOIN touched AS t ON t.rowid = s.rowid
