-- Is this scope not stopped yet? Then it is from now on.
INSERT INTO goldspan_kills (scope, by_whom, reason, at) VALUES (:scope, :by_whom, :reason, :at)
ON CONFLICT DO NOTHING
