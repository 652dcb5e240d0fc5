-- Which results are to be delivered to this target now? Not those of emptied runs, of runs around
-- another framework's tools (without a version's digest), and of drills: they have none.
SELECT r.run_id FROM goldspan_runs AS r
JOIN goldspan_targets AS t ON t.target = :target AND r.at >= t.since
LEFT JOIN goldspan_deliveries AS d ON d.run_id = r.run_id AND d.target = t.target
WHERE
    r.state = 'ended' AND r.queue IS NOT NULL AND r.digest <> '' AND r.agent <> 'goldspan-drill'
    AND (d.run_id IS NULL OR (d.done_at IS NULL AND d.next_at <= :now))
ORDER BY r.at
LIMIT :most
