-- What did scorers, judges and people say about runs, calls and cases?
CREATE VIEW evaluations AS
WITH
results AS (
    SELECT
        *,
        json_extract_string(attributes, [
            '$."gen_ai.evaluation.name"',
            '$."gen_ai.evaluation.score.value"',
            '$."gen_ai.evaluation.score.label"',
            '$."gen_ai.evaluation.explanation"',
            '$."goldspan.passed"',
            '$."goldspan.unmeasured"',
            '$."goldspan.evaluator"',
            '$."goldspan.suite.digest"',
            '$."goldspan.case.digest"'
        ]) AS a
    FROM event_data
    WHERE event_name = 'gen_ai.evaluation.result'
),
whole_traces AS (
    SELECT
        trace_id,
        max(run_id) AS run_id,
        max(experiment_id) AS experiment_id,
        max(suite) AS suite,
        max(case_id) AS case_id,
        max(case_repeat) AS case_repeat,
        max(agent_name) AS agent_name,
        max(agent_version) AS agent_version,
        max(agent_digest) AS agent_digest,
        bool_or(simulated) AS simulated
    FROM span_data
    WHERE trace_id IN (SELECT trace_id FROM results WHERE run_id IS NULL)
    GROUP BY trace_id
)
SELECT
    e.event_id,
    e.observed_at,
    e.a[1] AS name,
    TRY_CAST(e.a[2] AS DOUBLE) AS score,
    e.a[3] AS label,
    e.a[4] AS explanation,
    TRY_CAST(e.a[5] AS BOOLEAN) AS passed,
    coalesce(TRY_CAST(e.a[6] AS BOOLEAN), FALSE) AS unmeasured,
    e.a[7] AS evaluator,
    e.trace_id,
    e.span_id,
    coalesce(e.run_id, s.run_id, t.run_id) AS run_id,
    coalesce(e.experiment_id, s.experiment_id, t.experiment_id) AS experiment_id,
    coalesce(e.suite, s.suite, t.suite) AS suite,
    e.a[8] AS suite_digest,
    coalesce(e.case_id, s.case_id, t.case_id) AS case_id,
    e.a[9] AS case_digest,
    coalesce(e.case_repeat, s.case_repeat, t.case_repeat) AS case_repeat,
    coalesce(e.agent_name, s.agent_name, t.agent_name) AS agent_name,
    coalesce(e.agent_version, s.agent_version, t.agent_version) AS agent_version,
    coalesce(e.agent_digest, s.agent_digest, t.agent_digest) AS agent_digest,
    coalesce(e.simulated, s.simulated, t.simulated, FALSE) AS simulated
FROM results AS e
LEFT JOIN span_data AS s ON s.trace_id = e.trace_id AND s.span_id = e.span_id
LEFT JOIN whole_traces AS t ON t.trace_id = e.trace_id;
