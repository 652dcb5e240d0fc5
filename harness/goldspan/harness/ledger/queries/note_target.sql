-- Since when do results go to this target?
INSERT INTO goldspan_targets (target, since) VALUES (:target, :since) ON CONFLICT DO NOTHING
