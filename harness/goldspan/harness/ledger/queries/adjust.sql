-- What is used of a limit after a call used more or less than it had reserved?
UPDATE goldspan_limits SET
    used = CASE
        WHEN used + beyond + :delta > lim THEN lim
        WHEN used + beyond + :delta < 0 THEN 0
        ELSE used + beyond + :delta
    END,
    beyond = CASE WHEN used + beyond + :delta > lim THEN used + beyond + :delta - lim ELSE 0 END
WHERE scope = :scope AND unit = :unit
