-- What are the texts of these stored spans?
SELECT s.rowid, s.input_messages, s.output_messages, s.tool_arguments, s.tool_result
FROM span_data AS s
SEMI JOIN touched AS t ON t.rowid = s.rowid
WHERE
    s.rowid BETWEEN (SELECT min(rowid) FROM touched) AND (SELECT max(rowid) FROM touched)
