-- In which traces do log records perhaps tell of calls?
SELECT DISTINCT trace_id
FROM event_data
WHERE
    trace_id IS NOT NULL
    AND span_id IS NOT NULL
    AND NOT starts_with(event_name, 'goldspan.')
    AND event_name <> 'gen_ai.evaluation.result'
