-- Which approvals have an id that begins so?
SELECT id FROM goldspan_approvals WHERE substr(id, 1, :length) = :start ORDER BY id LIMIT 2
