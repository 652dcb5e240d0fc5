-- What became of each run, over all its segments?
CREATE VIEW runs AS
WITH
resolved AS (
    SELECT
        trace_id, span_id, category, started_at, ended_at, status, error_type, error_message,
        input_messages, output_messages, outcome, reason, service_name, run_id, batch_id,
        experiment_id, suite, case_id, case_repeat, agent_name, agent_version, agent_digest,
        session_id, user_id, simulated, is_duplicate
    FROM span_data
    WHERE run_id IS NOT NULL
),
segments AS (
    SELECT
        *,
        CASE
            WHEN outcome IS NOT NULL THEN outcome
            WHEN status = 'error' THEN 'failed'
            ELSE 'completed'
        END AS final_outcome
    FROM resolved
    WHERE category = 'agent'
    QUALIFY row_number() OVER (PARTITION BY run_id, trace_id ORDER BY started_at, span_id) = 1
),
told AS (
    SELECT
        run_id,
        observed_at,
        event_name,
        trace_id,
        span_id,
        json_extract_string(attributes, [
            '$."goldspan.run.outcome"',
            '$."goldspan.run.reason"',
            '$."goldspan.reason"',
            '$."goldspan.next_actions"',
            '$."goldspan.contract"'
        ]) AS a,
        json_extract_string(attributes, [
            '$."goldspan.artifact.name"',
            '$."goldspan.artifact.kind"',
            '$."goldspan.artifact.path"',
            '$."goldspan.artifact.sha256"'
        ]) AS f
    FROM event_data
    WHERE
        run_id IS NOT NULL
        AND event_name IN (
            'goldspan.run.contract', 'goldspan.run.paused', 'goldspan.run.resumed',
            'goldspan.run.ended', 'goldspan.artifact'
        )
),
states AS (
    SELECT
        run_id,
        observed_at AS known_at,
        CASE
            WHEN event_name = 'goldspan.run.paused' THEN 'paused'
            WHEN event_name = 'goldspan.run.resumed' THEN 'running'
            ELSE coalesce(a[1], 'completed')
        END AS outcome,
        coalesce(a[2], a[3]) AS reason
    FROM told
    WHERE event_name IN ('goldspan.run.paused', 'goldspan.run.resumed', 'goldspan.run.ended')
    UNION ALL
    SELECT run_id, ended_at, final_outcome, coalesce(reason, error_message)
    FROM segments
    WHERE ended_at IS NOT NULL
),
last_states AS (
    SELECT
        run_id,
        arg_max(outcome, known_at) AS outcome,
        nullif(arg_max(coalesce(reason, ''), known_at), '') AS reason,
        max(known_at) AS known_at
    FROM states
    GROUP BY run_id
),
event_totals AS (
    SELECT
        run_id,
        min(observed_at) AS started_at,
        max(trace_id) AS trace_id,
        max(service_name) AS service_name,
        max(batch_id) AS batch_id,
        max(experiment_id) AS experiment_id,
        max(suite) AS suite,
        max(case_id) AS case_id,
        max(case_repeat) AS case_repeat,
        max(agent_name) AS agent_name,
        max(agent_version) AS agent_version,
        max(agent_digest) AS agent_digest,
        max(session_id) AS session_id,
        bool_or(simulated) AS simulated,
        count(*) FILTER (WHERE event_name = 'goldspan.incident') AS incidents
    FROM event_data
    WHERE run_id IS NOT NULL
    GROUP BY run_id
),
told_totals AS (
    SELECT
        run_id,
        arg_max(a[4], observed_at) FILTER (WHERE a[4] IS NOT NULL) AS next_actions,
        arg_max(a[5], observed_at) FILTER (WHERE a[5] IS NOT NULL) AS contract,
        to_json(list(
            json_object(
                'name', f[1], 'kind', f[2], 'path', f[3], 'sha256', f[4],
                'trace_id', trace_id, 'span_id', span_id
            )
            ORDER BY observed_at
        ) FILTER (WHERE event_name = 'goldspan.artifact')) AS artifacts
    FROM told
    GROUP BY run_id
),
span_totals AS (
    SELECT
        run_id,
        min(started_at) AS started_at,
        arg_max(trace_id, started_at) AS trace_id,
        max(service_name) AS service_name,
        count(*) FILTER (WHERE category = 'tool' AND is_duplicate IS NOT TRUE) AS tool_calls,
        count(*) FILTER (
            WHERE category = 'tool' AND is_duplicate IS NOT TRUE AND error_type IS NOT NULL
        ) AS tool_errors,
        coalesce(arg_min(batch_id, started_at) FILTER (WHERE category = 'agent'), min(batch_id)) AS batch_id,
        coalesce(arg_min(experiment_id, started_at) FILTER (WHERE category = 'agent'), min(experiment_id)) AS experiment_id,
        coalesce(arg_min(suite, started_at) FILTER (WHERE category = 'agent'), min(suite)) AS suite,
        coalesce(arg_min(case_id, started_at) FILTER (WHERE category = 'agent'), min(case_id)) AS case_id,
        coalesce(arg_min(case_repeat, started_at) FILTER (WHERE category = 'agent'), min(case_repeat)) AS case_repeat,
        coalesce(arg_min(agent_name, started_at) FILTER (WHERE category = 'agent'), min(agent_name)) AS agent_name,
        coalesce(arg_min(agent_version, started_at) FILTER (WHERE category = 'agent'), min(agent_version)) AS agent_version,
        coalesce(arg_min(agent_digest, started_at) FILTER (WHERE category = 'agent'), min(agent_digest)) AS agent_digest,
        coalesce(arg_min(session_id, started_at) FILTER (WHERE category = 'agent'), min(session_id)) AS session_id,
        bool_or(simulated) AS simulated
    FROM resolved
    GROUP BY run_id
),
segment_totals AS (
    SELECT
        run_id,
        count(*) AS segments,
        arg_max(trace_id, started_at) AS trace_id,
        arg_max(span_id, started_at) AS span_id,
        message_text(
            arg_min(input_messages, started_at) FILTER (WHERE input_messages IS NOT NULL), 'user'
        ) AS input,
        message_text(
            arg_max(output_messages, started_at) FILTER (WHERE output_messages IS NOT NULL),
            'assistant'
        ) AS output
    FROM segments
    GROUP BY run_id
),
calls AS (
    SELECT
        run_id,
        count(*) AS llm_calls,
        CAST(sum(input_tokens) AS BIGINT) AS input_tokens,
        CAST(sum(output_tokens) AS BIGINT) AS output_tokens,
        sum(cost_usd) AS cost_usd,
        sum(spent_usd) AS spent_usd,
        count(*) FILTER (WHERE cost_usd IS NULL AND error_type IS NULL) AS unpriced_calls,
        count(*) FILTER (WHERE replayed) AS replayed_calls
    FROM llm_calls
    WHERE run_id IS NOT NULL
    GROUP BY run_id
),
waiting AS (
    SELECT run_id, count(*) AS approvals_pending
    FROM approvals
    WHERE status = 'pending'
    GROUP BY run_id
),
ids AS (
    SELECT run_id FROM span_totals
    UNION
    SELECT run_id FROM event_totals
)
SELECT
    i.run_id,
    coalesce(s.batch_id, e.batch_id) AS batch_id,
    coalesce(s.agent_name, e.agent_name) AS agent_name,
    coalesce(s.agent_version, e.agent_version) AS agent_version,
    coalesce(s.agent_digest, e.agent_digest) AS agent_digest,
    g.input,
    g.output,
    least(s.started_at, e.started_at) AS started_at,
    CASE WHEN z.outcome <> 'running' THEN z.known_at END AS ended_at,
    date_diff(
        'microsecond',
        least(s.started_at, e.started_at),
        CASE WHEN z.outcome <> 'running' THEN z.known_at END
    ) / 1000.0 AS duration_ms,
    coalesce(z.outcome, 'running') AS outcome,
    z.reason,
    coalesce(g.segments, 0) AS segments,
    coalesce(g.trace_id, s.trace_id, e.trace_id) AS trace_id,
    g.span_id,
    coalesce(l.llm_calls, 0) AS llm_calls,
    coalesce(s.tool_calls, 0) AS tool_calls,
    coalesce(s.tool_errors, 0) AS tool_errors,
    l.input_tokens,
    l.output_tokens,
    l.cost_usd,
    l.spent_usd,
    coalesce(l.unpriced_calls, 0) AS unpriced_calls,
    coalesce(l.replayed_calls, 0) AS replayed_calls,
    x.contract,
    coalesce(CAST(x.artifacts AS VARCHAR), '[]') AS artifacts,
    coalesce(x.next_actions, '[]') AS next_actions,
    coalesce(e.incidents, 0) AS incidents,
    coalesce(w.approvals_pending, 0) AS approvals_pending,
    coalesce(s.simulated, e.simulated, FALSE) AS simulated,
    coalesce(s.experiment_id, e.experiment_id) AS experiment_id,
    coalesce(s.suite, e.suite) AS suite,
    coalesce(s.case_id, e.case_id) AS case_id,
    coalesce(s.case_repeat, e.case_repeat) AS case_repeat,
    coalesce(s.session_id, e.session_id) AS session_id,
    coalesce(s.service_name, e.service_name) AS service_name
FROM ids AS i
LEFT JOIN span_totals AS s ON s.run_id = i.run_id
LEFT JOIN event_totals AS e ON e.run_id = i.run_id
LEFT JOIN told_totals AS x ON x.run_id = i.run_id
LEFT JOIN segment_totals AS g ON g.run_id = i.run_id
LEFT JOIN last_states AS z ON z.run_id = i.run_id
LEFT JOIN calls AS l ON l.run_id = i.run_id
LEFT JOIN waiting AS w ON w.run_id = i.run_id;
