-- In which rows are the spans of these traces, which started between these times?
SELECT s.rowid
FROM span_data AS s
SEMI JOIN touched AS t ON t.trace_id = s.trace_id
WHERE s.started_at BETWEEN $first AND $last OR s.started_at IS NULL
