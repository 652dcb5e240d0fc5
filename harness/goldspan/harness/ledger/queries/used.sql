-- How much of a limit is used, and what is it?
SELECT used + beyond AS used, lim FROM goldspan_limits WHERE scope = :scope AND unit = :unit
