-- How many calls went to a person, how many their rule let go, and how long did people take?
CREATE VIEW escalations AS
WITH
looked_at AS (
    SELECT
        json_extract_string(attributes, '$."goldspan.approval.id"') AS approval_id,
        json_extract_string(attributes, '$."goldspan.passed"') = 'true' AS was_right
    FROM event_data
    WHERE event_name = 'goldspan.approval.reviewed'
    QUALIFY row_number() OVER (PARTITION BY approval_id ORDER BY observed_at DESC) = 1
),
let_go AS (
    SELECT
        *,
        json_extract_string(attributes, [
            '$."goldspan.approval.id"',
            '$."goldspan.approval.tool"',
            '$."goldspan.approval.sampled"'
        ]) AS a
    FROM event_data
    WHERE event_name = 'goldspan.approval.auto' AND experiment_id IS NULL
    QUALIFY row_number() OVER (PARTITION BY a[1] ORDER BY observed_at) = 1
),
calls AS (
    SELECT
        CAST(requested_at AS DATE) AS day,
        agent_name,
        agent_version,
        tool_name,
        simulated,
        TRUE AS to_a_person,
        status = 'pending' AS is_pending,
        decision,
        wait_ms,
        FALSE AS sampled,
        CAST(NULL AS BOOLEAN) AS was_right
    FROM approvals
    WHERE experiment_id IS NULL
    UNION ALL
    SELECT
        CAST(g.observed_at AS DATE),
        g.agent_name,
        g.agent_version,
        g.a[2],
        coalesce(g.simulated, FALSE),
        FALSE,
        FALSE,
        NULL,
        NULL,
        coalesce(g.a[3] = 'true', FALSE),
        l.was_right
    FROM let_go AS g
    LEFT JOIN looked_at AS l ON l.approval_id = g.a[1]
)
SELECT
    day,
    agent_name,
    agent_version,
    tool_name,
    simulated,
    count(*) AS calls,
    count(*) FILTER (WHERE to_a_person) AS asked,
    count(*) FILTER (WHERE NOT to_a_person) AS let_go,
    count(*) FILTER (WHERE to_a_person) / count(*) AS escalation_rate,
    count(*) FILTER (WHERE decision = 'approve') AS approved,
    count(*) FILTER (WHERE decision = 'edit') AS edited,
    count(*) FILTER (WHERE decision = 'deny') AS denied,
    count(*) FILTER (WHERE is_pending) AS pending,
    quantile_cont(wait_ms, 0.5) AS wait_p50_ms,
    quantile_cont(wait_ms, 0.95) AS wait_p95_ms,
    max(wait_ms) AS wait_max_ms,
    count(*) FILTER (WHERE sampled) AS sampled,
    count(was_right) AS looked_at,
    count(*) FILTER (WHERE NOT was_right) AS found_wrong
FROM calls
GROUP BY day, agent_name, agent_version, tool_name, simulated;
