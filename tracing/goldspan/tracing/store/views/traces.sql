-- What happened in each trace, from its root span down to its totals?
CREATE VIEW traces AS
WITH
resolved AS (
    SELECT
        s.* EXCLUDE (
            run_id, batch_id, experiment_id, suite, case_id, case_repeat, agent_name,
            agent_version, agent_digest, session_id, user_id, simulated
        ),
        coalesce(s.run_id, c.run_id) AS run_id,
        coalesce(s.batch_id, c.batch_id) AS batch_id,
        coalesce(s.experiment_id, c.experiment_id) AS experiment_id,
        coalesce(s.suite, c.suite) AS suite,
        coalesce(s.case_id, c.case_id) AS case_id,
        coalesce(s.case_repeat, c.case_repeat) AS case_repeat,
        coalesce(s.agent_name, c.agent_name) AS agent_name,
        coalesce(s.agent_version, c.agent_version) AS agent_version,
        coalesce(s.agent_digest, c.agent_digest) AS agent_digest,
        coalesce(s.session_id, c.session_id) AS session_id,
        coalesce(s.user_id, c.user_id) AS user_id,
        coalesce(s.simulated, c.simulated) AS simulated
    FROM span_data AS s
    LEFT JOIN span_context AS c ON c.trace_id = s.trace_id AND c.span_id = s.span_id
),
roots AS (
    SELECT s.*
    FROM resolved AS s
    ANTI JOIN span_data AS p ON p.trace_id = s.trace_id AND p.span_id = s.parent_span_id
    QUALIFY row_number() OVER (
        PARTITION BY s.trace_id
        ORDER BY s.parent_span_id IS NOT NULL, s.started_at, s.span_id
    ) = 1
),
totals AS (
    SELECT
        trace_id,
        min(started_at) AS started_at,
        max(ended_at) AS ended_at,
        count(*) AS span_count,
        count(*) FILTER (WHERE status = 'error') AS error_count,
        count(*) FILTER (WHERE category = 'tool') AS tool_calls,
        arg_min(input_messages, started_at) FILTER (WHERE category = 'agent') AS agent_input,
        arg_min(output_messages, started_at) FILTER (WHERE category = 'agent') AS agent_output,
        arg_min(outcome, started_at) FILTER (WHERE category = 'agent') AS outcome,
        coalesce(arg_min(run_id, started_at) FILTER (WHERE category = 'agent'), min(run_id)) AS run_id,
        coalesce(arg_min(batch_id, started_at) FILTER (WHERE category = 'agent'), min(batch_id)) AS batch_id,
        coalesce(arg_min(experiment_id, started_at) FILTER (WHERE category = 'agent'), min(experiment_id)) AS experiment_id,
        coalesce(arg_min(suite, started_at) FILTER (WHERE category = 'agent'), min(suite)) AS suite,
        coalesce(arg_min(case_id, started_at) FILTER (WHERE category = 'agent'), min(case_id)) AS case_id,
        coalesce(arg_min(case_repeat, started_at) FILTER (WHERE category = 'agent'), min(case_repeat)) AS case_repeat,
        coalesce(arg_min(agent_name, started_at) FILTER (WHERE category = 'agent'), min(agent_name)) AS agent_name,
        coalesce(arg_min(agent_version, started_at) FILTER (WHERE category = 'agent'), min(agent_version)) AS agent_version,
        coalesce(arg_min(agent_digest, started_at) FILTER (WHERE category = 'agent'), min(agent_digest)) AS agent_digest,
        coalesce(arg_min(session_id, started_at) FILTER (WHERE category = 'agent'), min(session_id)) AS session_id,
        coalesce(arg_min(user_id, started_at) FILTER (WHERE category = 'agent'), min(user_id)) AS user_id,
        bool_or(simulated) AS simulated
    FROM resolved
    GROUP BY trace_id
),
calls AS (
    SELECT
        trace_id,
        count(*) AS llm_calls,
        CAST(sum(input_tokens) AS BIGINT) AS input_tokens,
        CAST(sum(output_tokens) AS BIGINT) AS output_tokens,
        sum(cost_usd) AS cost_usd,
        sum(spent_usd) AS spent_usd,
        count(*) FILTER (WHERE cost_usd IS NULL AND error_type IS NULL) AS unpriced_calls,
        arg_min(input_messages, started_at) AS first_input,
        arg_max(output_messages, started_at) AS last_output,
        min(session_id) AS session_id,
        min(user_id) AS user_id
    FROM llm_calls
    GROUP BY trace_id
)
SELECT
    t.trace_id,
    coalesce(r.run_id, t.run_id) AS run_id,
    coalesce(r.batch_id, t.batch_id) AS batch_id,
    t.started_at,
    t.ended_at,
    date_diff('microsecond', t.started_at, t.ended_at) / 1000.0 AS duration_ms,
    r.span_id AS root_span_id,
    r.name AS root_name,
    r.service_name,
    coalesce(r.session_id, t.session_id, l.session_id) AS session_id,
    coalesce(r.user_id, t.user_id, l.user_id) AS user_id,
    coalesce(r.agent_name, t.agent_name) AS agent_name,
    coalesce(r.agent_version, t.agent_version) AS agent_version,
    coalesce(r.agent_digest, t.agent_digest) AS agent_digest,
    message_text(coalesce(r.input_messages, t.agent_input, l.first_input), 'user') AS input,
    message_text(coalesce(r.output_messages, t.agent_output, l.last_output), 'assistant') AS output,
    CASE WHEN r.status = 'error' THEN 'error' ELSE 'ok' END AS status,
    r.error_type,
    t.span_count,
    coalesce(l.llm_calls, 0) AS llm_calls,
    t.tool_calls,
    t.error_count,
    l.input_tokens,
    l.output_tokens,
    l.cost_usd,
    l.spent_usd,
    coalesce(l.unpriced_calls, 0) AS unpriced_calls,
    coalesce(t.simulated, FALSE) AS simulated,
    coalesce(r.experiment_id, t.experiment_id) AS experiment_id,
    coalesce(r.suite, t.suite) AS suite,
    coalesce(r.case_id, t.case_id) AS case_id,
    coalesce(r.case_repeat, t.case_repeat) AS case_repeat,
    t.outcome
FROM totals AS t
JOIN roots AS r ON r.trace_id = t.trace_id
LEFT JOIN calls AS l ON l.trace_id = t.trace_id;
