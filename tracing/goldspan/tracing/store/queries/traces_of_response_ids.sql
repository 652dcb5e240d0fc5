-- Which other traces hold a call with one of these response ids, at most an hour away?
SELECT DISTINCT s.trace_id
FROM span_data AS s
SEMI JOIN touched AS t ON t.response_id = s.response_id
WHERE
    s.category IN ('llm', 'part')
    AND s.started_at BETWEEN
        (SELECT min(started_at) - INTERVAL 1 HOUR FROM touched)
        AND (SELECT max(started_at) + INTERVAL 1 HOUR FROM touched)
