-- Is this call not settled yet? Then it is now.
UPDATE goldspan_calls SET settled = :settled WHERE key = :key AND settled IS NULL
