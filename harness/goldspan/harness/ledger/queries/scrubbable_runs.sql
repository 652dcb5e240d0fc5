-- Which runs have ended, with nothing left to deliver, and still have their texts as they came?
-- A wrapped run, which has no digest, may go on under its id where it did not complete.
SELECT r.run_id, r.queue, r.why, r.at FROM goldspan_runs AS r
WHERE
    r.state = 'ended' AND r.scrubbed = 0 AND r.emptied = 0 AND r.at > :after
    AND (r.queue IS NULL OR :queued = 1)
    AND (r.digest <> '' OR r.outcome = 'completed' OR r.at < :long_ago)
    AND (
        r.queue IS NULL
        OR r.at < :long_ago
        OR NOT EXISTS (
            SELECT 1 FROM goldspan_targets AS t
            WHERE
                r.at >= t.since
                AND NOT EXISTS (
                    SELECT 1 FROM goldspan_deliveries AS d
                    WHERE
                        d.run_id = r.run_id AND d.target = t.target
                        AND d.done_at IS NOT NULL
                )
        )
    )
ORDER BY r.at
LIMIT :most
