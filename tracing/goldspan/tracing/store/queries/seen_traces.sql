-- Which traces are stored?
SELECT trace_id FROM trace_data
