-- Which kill flags stand?
SELECT scope, by_whom, reason, at FROM goldspan_kills ORDER BY at
