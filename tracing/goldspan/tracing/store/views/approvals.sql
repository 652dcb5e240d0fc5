-- Which calls needed a human's word, and what did the human say?
CREATE VIEW approvals AS
WITH
asked AS (
    SELECT
        *,
        json_extract_string(attributes, [
            '$."goldspan.approval.id"',
            '$."goldspan.approval.kind"',
            '$."goldspan.approval.tool"',
            '$."goldspan.approval.arguments"',
            '$."goldspan.approval.draft"',
            '$."goldspan.approval.claims"',
            '$."goldspan.approval.risk"',
            '$."goldspan.approval.recommendation"',
            '$."goldspan.reason"'
        ]) AS a
    FROM event_data
    WHERE event_name = 'goldspan.approval.requested'
    QUALIFY row_number() OVER (PARTITION BY coalesce(a[1], event_id) ORDER BY observed_at) = 1
),
answered AS (
    SELECT
        observed_at,
        json_extract_string(attributes, [
            '$."goldspan.approval.id"',
            '$."goldspan.approval.decision"',
            '$."goldspan.approval.reviewer"',
            '$."goldspan.approval.wait_ms"',
            '$."goldspan.approval.arguments"',
            '$."goldspan.reason"'
        ]) AS a
    FROM event_data
    WHERE event_name = 'goldspan.approval.decided'
    QUALIFY row_number() OVER (PARTITION BY a[1] ORDER BY observed_at DESC) = 1
)
SELECT
    coalesce(q.a[1], q.event_id) AS approval_id,
    q.run_id,
    q.batch_id,
    q.trace_id,
    q.span_id,
    q.observed_at AS requested_at,
    r.observed_at AS decided_at,
    coalesce(
        TRY_CAST(r.a[4] AS DOUBLE),
        date_diff('microsecond', q.observed_at, r.observed_at) / 1000.0
    ) AS wait_ms,
    q.a[2] AS kind,
    q.a[3] AS tool_name,
    q.a[4] AS arguments,
    q.a[5] AS draft,
    q.a[6] AS claims,
    q.a[7] AS risk,
    q.a[8] AS recommendation,
    q.a[9] AS why,
    r.a[2] AS decision,
    r.a[3] AS reviewer,
    r.a[5] AS edited_arguments,
    r.a[6] AS reason,
    CASE WHEN r.observed_at IS NULL THEN 'pending' ELSE 'decided' END AS status,
    q.agent_name,
    q.agent_version,
    q.experiment_id,
    coalesce(q.simulated, FALSE) AS simulated
FROM asked AS q
LEFT JOIN answered AS r ON r.a[1] = q.a[1];
