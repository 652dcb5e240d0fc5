-- Is this scope stopped? Then it is no more.
DELETE FROM goldspan_kills WHERE scope = :scope
