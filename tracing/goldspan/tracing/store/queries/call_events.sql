-- Which stored log records may tell of calls in these traces?
SELECT
    e.event_id, e.event_name, epoch_us(e.observed_at), e.trace_id, e.span_id, e.severity, e.body, e.attributes,
    e.resource, e.scope_name
FROM event_data AS e
SEMI JOIN touched AS t ON t.trace_id = e.trace_id
WHERE
    e.span_id IS NOT NULL
    AND NOT starts_with(e.event_name, 'goldspan.')
    AND e.event_name <> 'gen_ai.evaluation.result'
