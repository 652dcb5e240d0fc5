-- Which runs are under way that no worker makes, and in which process?
SELECT run_id, why FROM goldspan_runs WHERE state = 'running' AND queue IS NULL
