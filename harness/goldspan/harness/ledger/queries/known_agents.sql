-- Which agents have runs here?
SELECT DISTINCT agent FROM goldspan_runs ORDER BY agent
