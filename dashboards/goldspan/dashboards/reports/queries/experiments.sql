-- Which experiments ended a repeat in the period, how many passed, and what was the gate's verdict?
WITH repeats AS (
  SELECT
    experiment_id, case_id, case_repeat, suite, agent_name, agent_version, trace_id, observed_at,
    coalesce(simulated, FALSE) AS simulated,
    TRY_CAST(
      json_extract_string(
        TRY_CAST(json_extract_string(attributes, '$."goldspan.case.result"') AS JSON), '$.passed'
      ) AS BOOLEAN
    ) AS passed
  FROM events
  WHERE event_name = 'goldspan.case.ended' AND experiment_id IS NOT NULL
  QUALIFY row_number() OVER (
    PARTITION BY experiment_id, case_id, case_repeat ORDER BY observed_at DESC
  ) = 1
),
verdicts AS (
  SELECT
    experiment_id,
    arg_max(json_extract_string(attributes, '$."goldspan.verdict"'), observed_at) AS verdict
  FROM events
  WHERE event_name = 'goldspan.experiment.ended'
  GROUP BY experiment_id
)
SELECT
  r.experiment_id,
  min(r.suite) AS suite,
  min(r.agent_name) AS agent_name,
  min(r.agent_version) AS agent_version,
  bool_or(r.simulated) AS simulated,
  min(r.observed_at) AS started_at,
  count(DISTINCT r.case_id) AS cases,
  count(*) AS repeats,
  count(*) FILTER (WHERE r.passed) AS passed,
  count(*) FILTER (WHERE NOT r.passed) AS failed,
  count(*) FILTER (WHERE r.passed IS NULL) AS unmeasured,
  arg_min(r.trace_id, r.observed_at) FILTER (WHERE NOT r.passed AND r.trace_id IS NOT NULL)
    AS failed_trace_id,
  max(v.verdict) AS verdict
FROM repeats AS r
LEFT JOIN verdicts AS v ON v.experiment_id = r.experiment_id
GROUP BY r.experiment_id
HAVING max(r.observed_at) >= CAST($since AS TIMESTAMPTZ)
  AND (min(r.observed_at) < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
ORDER BY started_at, r.experiment_id
