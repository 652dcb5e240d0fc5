-- What did the report's runs make, and which span shows it?
-- The kind of an artifact is the tool that made it: its last call before the event, in any life of the run.
WITH made AS (
  SELECT
    event_id, run_id, trace_id, span_id, observed_at, simulated, experiment_id,
    json_extract_string(attributes, '$."goldspan.artifact.name"') AS name,
    json_extract_string(attributes, '$."goldspan.artifact.kind"') AS kind,
    json_extract_string(attributes, '$."goldspan.artifact.path"') AS path,
    json_extract_string(attributes, '$."goldspan.artifact.sha256"') AS sha256
  FROM events
  WHERE event_name = 'goldspan.artifact' AND run_id IN (
    SELECT r.run_id FROM runs AS r
    WHERE (r.run_id = CAST($run AS VARCHAR) OR CAST($run AS VARCHAR) IS NULL)
      AND (r.batch_id = CAST($batch AS VARCHAR) OR CAST($batch AS VARCHAR) IS NULL)
      AND (r.started_at >= CAST($since AS TIMESTAMPTZ) OR CAST($since AS TIMESTAMPTZ) IS NULL)
      AND (r.started_at < CAST($until AS TIMESTAMPTZ) OR CAST($until AS TIMESTAMPTZ) IS NULL)
  )
),
calls AS (
  SELECT run_id, trace_id, span_id, tool_name, started_at
  FROM tool_calls
  WHERE error_type IS NULL AND run_id IN (SELECT run_id FROM made)
)
SELECT
  m.run_id, m.name, m.kind, m.path, m.sha256, m.experiment_id,
  coalesce(m.simulated, FALSE) AS simulated,
  coalesce(arg_max(c.trace_id, c.started_at), m.trace_id) AS trace_id,
  coalesce(arg_max(c.span_id, c.started_at), m.span_id) AS span_id
FROM made AS m
LEFT JOIN calls AS c
  ON c.run_id = m.run_id AND c.tool_name = m.kind AND c.started_at <= m.observed_at
GROUP BY
  m.event_id, m.run_id, m.trace_id, m.span_id, m.observed_at, m.simulated, m.experiment_id,
  m.name, m.kind, m.path, m.sha256
ORDER BY m.observed_at, m.event_id
