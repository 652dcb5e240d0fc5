-- Which audit events were acknowledged before a time? The store has them.
DELETE FROM goldspan_outbox WHERE sent_at < :before
