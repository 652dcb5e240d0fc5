-- How was this call judged?
SELECT refusal FROM goldspan_calls WHERE key = :key
