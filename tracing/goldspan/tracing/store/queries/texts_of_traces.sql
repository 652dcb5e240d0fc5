-- What are the texts of these stored traces?
SELECT d.rowid, d.input, d.output
FROM trace_data AS d
SEMI JOIN touched AS t ON t.rowid = d.rowid
WHERE
    d.rowid BETWEEN (SELECT min(rowid) FROM touched) AND (SELECT max(rowid) FROM touched)
