-- Which of the incoming events are not stored yet? They are stored.
INSERT INTO event_data BY NAME
SELECT i.*
FROM incoming AS i
ANTI JOIN (
    SELECT event_id
    FROM event_data
    WHERE
        observed_at IS NULL
        OR observed_at BETWEEN
            (SELECT min(observed_at) - INTERVAL 1 DAY FROM incoming)
            AND (SELECT max(observed_at) + INTERVAL 1 DAY FROM incoming)
) AS e ON e.event_id = i.event_id
