-- Is this process still taken for alive?
UPDATE goldspan_executors SET beat = :at WHERE id = :id AND dead = 0
