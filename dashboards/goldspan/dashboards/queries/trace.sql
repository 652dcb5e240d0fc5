-- What is known about one trace?
SELECT * FROM traces WHERE trace_id = $trace
