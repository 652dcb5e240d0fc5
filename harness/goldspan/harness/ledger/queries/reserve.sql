-- Is there room for so much more? Then it is taken.
UPDATE goldspan_limits SET used = used + beyond + :amount, beyond = 0, lim = :limit
WHERE scope = :scope AND unit = :unit AND used + beyond + :amount <= :limit
