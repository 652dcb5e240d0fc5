-- What did each model call of this run use?
SELECT settled FROM goldspan_calls
WHERE run_id = :run_id AND action_class = 'model' AND settled IS NOT NULL
