-- Which inherited values are decided anew? Those of the touched traces.
DELETE FROM span_context
WHERE trace_id IN (SELECT trace_id FROM touched)
