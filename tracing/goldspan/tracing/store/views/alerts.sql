-- Which alerts did the monitors raise? One row an alert, as last reported.
CREATE VIEW alerts AS
SELECT
    coalesce(a[1], event_id) AS alert_id,
    event_id,
    observed_at AS fired_at,
    a[2] AS monitor,
    a[3] AS severity,
    a[4] AS metric,
    TRY_CAST(TRY_CAST(a[5] AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS started_at,
    TRY_CAST(TRY_CAST(a[6] AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS TIMESTAMP) AS ended_at,
    TRY_CAST(a[7] AS DOUBLE) AS value,
    TRY_CAST(a[8] AS DOUBLE) AS baseline,
    a[9] AS unit,
    a[10] AS explanation,
    coalesce(simulated, FALSE) AS simulated
FROM (
    SELECT
        *,
        json_extract_string(attributes, [
            '$."goldspan.alert.id"',
            '$."goldspan.alert.monitor"',
            '$."goldspan.alert.severity"',
            '$."goldspan.alert.metric"',
            '$."goldspan.alert.started_at"',
            '$."goldspan.alert.ended_at"',
            '$."goldspan.alert.value"',
            '$."goldspan.alert.baseline"',
            '$."goldspan.alert.unit"',
            '$."goldspan.alert.explanation"'
        ]) AS a
    FROM event_data
    WHERE event_name = 'goldspan.alert'
)
QUALIFY row_number() OVER (PARTITION BY coalesce(a[1], event_id) ORDER BY observed_at DESC) = 1;
