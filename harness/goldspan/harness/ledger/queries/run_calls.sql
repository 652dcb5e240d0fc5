-- How many calls of a run were admitted?
SELECT count(*) AS calls FROM goldspan_calls WHERE run_id = :run_id AND refusal IS NULL
