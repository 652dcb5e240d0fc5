-- Did the tool fail before it worked now? Then its row of failures has ended.
UPDATE goldspan_breakers SET failures = 0, reason = NULL
WHERE tool = :tool AND state = 'closed' AND failures > 0
