-- The operations database of one run. Money is whole cents.
CREATE TABLE customers (
    customer_id TEXT PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, seats INTEGER NOT NULL,
    status TEXT NOT NULL, contact TEXT NOT NULL, since TEXT NOT NULL
);
CREATE TABLE invoices (
    invoice_id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers,
    issued TEXT NOT NULL, due TEXT NOT NULL, amount_cents INTEGER NOT NULL, status TEXT NOT NULL
);
CREATE TABLE ledger (
    entry_id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers,
    invoice_id TEXT NOT NULL REFERENCES invoices, date TEXT NOT NULL, kind TEXT NOT NULL,
    amount_cents INTEGER NOT NULL, memo TEXT NOT NULL
);
CREATE TABLE refunds (
    refund_id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customers,
    invoice_id TEXT NOT NULL REFERENCES invoices, amount_cents INTEGER NOT NULL,
    issued TEXT NOT NULL, issued_by TEXT NOT NULL, reason TEXT NOT NULL
);
CREATE TABLE tickets (
    ticket_id TEXT PRIMARY KEY, customer_id TEXT REFERENCES customers, subject TEXT NOT NULL,
    status TEXT NOT NULL, priority TEXT NOT NULL, channel TEXT NOT NULL, opened TEXT NOT NULL,
    attachment TEXT
);
CREATE TABLE notes (
    note_id TEXT PRIMARY KEY, ticket_id TEXT NOT NULL REFERENCES tickets, body TEXT NOT NULL
);
CREATE TABLE drafts (
    draft_id TEXT PRIMARY KEY, ticket_id TEXT NOT NULL REFERENCES tickets, body TEXT NOT NULL,
    claims TEXT NOT NULL, risk TEXT NOT NULL, status TEXT NOT NULL
);
CREATE TABLE faults (tool TEXT PRIMARY KEY, rate REAL NOT NULL);
-- What was done, by the key of the call. A call that was made outside a run has no key.
CREATE TABLE effects (key TEXT UNIQUE, tool TEXT NOT NULL, result TEXT NOT NULL);
