-- Which incoming details tell of calls that none told of before? They are stored.
INSERT INTO call_detail BY NAME
SELECT i.*
FROM incoming AS i
ANTI JOIN call_detail AS d ON d.trace_id = i.trace_id AND d.span_id = i.span_id
