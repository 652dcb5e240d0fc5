ALTER TABLE goldspan_breakers ADD COLUMN failed_at DOUBLE PRECISION;

ALTER TABLE goldspan_breakers ADD COLUMN reason TEXT;
