-- Which log records go? Those of the traces that go, and older ones that belong to no trace or run that stays.
CREATE OR REPLACE TEMP TABLE doomed_events AS
SELECT DISTINCT e.event_id
FROM event_data AS e
LEFT JOIN doomed_traces AS d ON d.trace_id = e.trace_id
LEFT JOIN trace_data AS t ON t.trace_id = e.trace_id
WHERE
    coalesce(e.observed_at, TIMESTAMP '1970-01-01') < $before
    AND (d.trace_id IS NOT NULL OR t.trace_id IS NULL)
    AND (
        e.run_id IS NULL
        OR e.run_id NOT IN (
            SELECT k.run_id
            FROM trace_data AS k
            ANTI JOIN doomed_traces AS g ON g.trace_id = k.trace_id
            WHERE k.run_id IS NOT NULL
        )
    )
