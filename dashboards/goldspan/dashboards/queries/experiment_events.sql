-- What did each experiment say when it ended?
SELECT experiment_id, observed_at, attributes
FROM events
WHERE event_name = 'goldspan.experiment.ended' AND experiment_id IS NOT NULL
ORDER BY observed_at
