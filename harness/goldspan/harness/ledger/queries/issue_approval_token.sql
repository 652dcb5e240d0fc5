-- Which token was given to whom, for exactly what?
INSERT INTO goldspan_approval_tokens (token_sha256, approval, seen, reviewer, issued_at)
VALUES (:token_digest, :approval, :seen, :reviewer, :at)
