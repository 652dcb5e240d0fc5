-- What does a person say of a call that a crash left unknown?
UPDATE goldspan_calls SET resolution = :resolution WHERE key = :key AND resolution IS NULL
