-- What is this token good for?
SELECT approval, seen, reviewer, spent_at FROM goldspan_approval_tokens
WHERE token_sha256 = :token_digest
