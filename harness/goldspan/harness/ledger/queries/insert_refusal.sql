-- Was this call not judged before? Then it is refused for good.
INSERT INTO goldspan_calls
    (key, run_id, step, tool, agent, action_class, digest, refusal, at)
VALUES (:key, :run_id, :step, :tool, :agent, :action_class, :digest, :refusal, :at)
ON CONFLICT DO NOTHING
