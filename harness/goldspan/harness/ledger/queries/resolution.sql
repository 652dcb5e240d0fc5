-- What did a person say of this call?
SELECT resolution FROM goldspan_calls WHERE key = :key
