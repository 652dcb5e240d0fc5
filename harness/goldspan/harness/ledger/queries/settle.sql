-- Is this call not settled yet? Then it is now; and what did it reserve?
UPDATE goldspan_calls SET settled = :settled
WHERE key = :key AND refusal IS NULL AND settled IS NULL
RETURNING reserved
