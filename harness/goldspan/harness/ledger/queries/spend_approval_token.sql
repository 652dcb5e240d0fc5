-- Is this token unspent? Then it is spent.
UPDATE goldspan_approval_tokens SET spent_at = :at
WHERE token_sha256 = :token_digest AND approval = :approval AND spent_at IS NULL
