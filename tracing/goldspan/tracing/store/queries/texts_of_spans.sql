-- What are the messages of these stored spans?
SELECT s.rowid, s.input_messages, s.output_messages
FROM span_data AS s
SEMI JOIN touched AS t ON t.rowid = s.rowid
WHERE
    s.rowid BETWEEN (SELECT min(rowid) FROM touched) AND (SELECT max(rowid) FROM touched)
