-- What stays of a call's words, once its run has ended?
UPDATE goldspan_calls SET resolution = :resolution, refusal = :refusal WHERE key = :key
