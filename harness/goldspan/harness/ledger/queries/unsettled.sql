-- What did this call reserve, if it is not settled yet?
SELECT reserved FROM goldspan_calls WHERE key = :key AND refusal IS NULL AND settled IS NULL
