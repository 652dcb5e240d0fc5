-- Which traces are over since before this moment? Failed ones may be kept.
CREATE OR REPLACE TEMP TABLE doomed_traces AS
SELECT t.trace_id
FROM traces AS t
LEFT JOIN (SELECT run_id, outcome FROM runs) AS r ON r.run_id = t.run_id
WHERE
    coalesce(t.ended_at, t.started_at, TIMESTAMP '1970-01-01') < $before
    AND coalesce(t.started_at, TIMESTAMP '1970-01-01') < $before
    AND t.trace_id NOT IN (  -- a span that stays is never told to repeat one that is gone
        SELECT d.of_trace_id
        FROM duplicate_data AS d
        JOIN trace_data AS k ON k.trace_id = d.trace_id
        WHERE d.of_trace_id <> d.trace_id AND coalesce(k.ended_at, k.started_at) >= $before
    )
    AND NOT (
        $keep_failed
        AND (t.status = 'error' OR t.error_count > 0 OR coalesce(r.outcome, 'completed') <> 'completed')
    )
