-- Which limit is meant? One that nothing was used of is written down with its first use.
INSERT INTO goldspan_limits (scope, unit, used, lim) VALUES (:scope, :unit, 0, :limit)
ON CONFLICT DO NOTHING
