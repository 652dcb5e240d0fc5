-- What do these calls cost now?
UPDATE span_data
SET cost_usd = t.cost_usd, price_source = t.price_source, price_version = t.price_version
FROM touched AS t
WHERE span_data.rowid = t.rowid
