-- How was one trace judged?
SELECT observed_at, span_id, name, score, label, explanation, passed, unmeasured, evaluator
FROM evaluations WHERE trace_id = $trace ORDER BY observed_at, name
