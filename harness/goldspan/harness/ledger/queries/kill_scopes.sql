-- Which kill flags stand?
SELECT scope, by_whom, reason FROM goldspan_kills ORDER BY at
