-- Facts that foreign emitters tell: their own cost, estimates, and why an agent decided so.
ALTER TABLE span_data ADD COLUMN usage_estimated BOOLEAN;
ALTER TABLE span_data ADD COLUMN emitter_cost_usd DOUBLE;
ALTER TABLE span_data ADD COLUMN reasoning VARCHAR;
ALTER TABLE span_data ADD COLUMN alternatives VARCHAR;
ALTER TABLE span_data ADD COLUMN confidence DOUBLE;
ALTER TABLE call_detail ADD COLUMN usage_estimated BOOLEAN;
ALTER TABLE call_detail ADD COLUMN emitter_cost_usd DOUBLE;
