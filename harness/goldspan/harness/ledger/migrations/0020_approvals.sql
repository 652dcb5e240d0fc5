ALTER TABLE goldspan_approvals ADD COLUMN context TEXT;

CREATE TABLE goldspan_approval_tokens (
    token_sha256 TEXT PRIMARY KEY,
    approval TEXT NOT NULL,
    seen TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    issued_at DOUBLE PRECISION NOT NULL,
    spent_at DOUBLE PRECISION
);

CREATE INDEX goldspan_approval_tokens_by_approval ON goldspan_approval_tokens (approval);

CREATE INDEX goldspan_approvals_by_state ON goldspan_approvals (state, asked_at);

ALTER TABLE goldspan_outbox ADD COLUMN trace_id TEXT;

ALTER TABLE goldspan_outbox ADD COLUMN span_id TEXT;
