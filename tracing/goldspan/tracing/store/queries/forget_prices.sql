-- Which prices are decided anew? Those of the touched calls.
DELETE FROM call_price
USING touched
WHERE call_price.trace_id = touched.trace_id AND call_price.span_id = touched.span_id
