-- Which of the simulated runs whose id starts like this is the last by its id?
SELECT max(run_id) AS run_id
FROM runs
WHERE simulated AND starts_with(run_id, CAST($stem AS VARCHAR))
