-- Does this process make the call of which a person said that it was not made? Only one does.
UPDATE goldspan_calls SET resolution = NULL WHERE key = :key AND resolution IS NOT NULL
