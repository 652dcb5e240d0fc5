-- Which of the incoming spans are stored already, and how full is what is stored?
SELECT s.trace_id, s.span_id, s.fullness
FROM span_data AS s
SEMI JOIN incoming AS i ON i.trace_id = s.trace_id AND i.span_id = s.span_id
WHERE
    s.started_at IS NULL
    OR s.started_at BETWEEN
        (SELECT min(started_at) - INTERVAL 1 DAY FROM incoming)
        AND (SELECT max(started_at) + INTERVAL 1 DAY FROM incoming)
