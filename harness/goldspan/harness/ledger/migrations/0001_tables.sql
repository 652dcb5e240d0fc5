CREATE TABLE goldspan_runs (
    run_id TEXT PRIMARY KEY,
    agent TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'parked', 'waking', 'ended')),
    waits_for TEXT,
    why TEXT,
    outcome TEXT,
    queue TEXT,
    batch TEXT,
    segment INTEGER NOT NULL DEFAULT 0,
    tokens BIGINT,
    usd DOUBLE PRECISION,
    started_at DOUBLE PRECISION NOT NULL,
    at DOUBLE PRECISION NOT NULL
);

CREATE INDEX goldspan_runs_by_state ON goldspan_runs (state);

CREATE INDEX goldspan_runs_by_agent ON goldspan_runs (agent, at);

CREATE TABLE goldspan_calls (
    key TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    step INTEGER NOT NULL,
    tool TEXT NOT NULL,
    agent TEXT NOT NULL,
    action_class TEXT NOT NULL,
    digest TEXT NOT NULL,
    approval TEXT,
    refusal TEXT,
    reserved TEXT,
    settled TEXT,
    resolution TEXT,
    at DOUBLE PRECISION NOT NULL
);

CREATE INDEX goldspan_calls_by_run ON goldspan_calls (run_id);

CREATE TABLE goldspan_limits (
    scope TEXT NOT NULL,
    unit TEXT NOT NULL,
    used DOUBLE PRECISION NOT NULL CHECK (used >= 0),
    lim DOUBLE PRECISION NOT NULL,
    beyond DOUBLE PRECISION NOT NULL DEFAULT 0 CHECK (beyond >= 0),
    PRIMARY KEY (scope, unit),
    CHECK (used <= lim)
);

CREATE TABLE goldspan_kills (
    scope TEXT PRIMARY KEY,
    by_whom TEXT NOT NULL,
    reason TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL
);

CREATE TABLE goldspan_breakers (
    tool TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('closed', 'open', 'half')),
    failures INTEGER NOT NULL DEFAULT 0,
    opened_at DOUBLE PRECISION,
    retry_at DOUBLE PRECISION,
    probe_key TEXT,
    probe_until DOUBLE PRECISION
);

CREATE TABLE goldspan_approvals (
    id TEXT PRIMARY KEY,
    run_id TEXT NOT NULL,
    key TEXT,
    digest TEXT NOT NULL,
    kind TEXT NOT NULL,
    proposal TEXT NOT NULL,
    token_sha256 TEXT,
    state TEXT NOT NULL,
    decision TEXT,
    reviewers TEXT,
    asked_at DOUBLE PRECISION NOT NULL,
    decided_at DOUBLE PRECISION
);

CREATE INDEX goldspan_approvals_by_run ON goldspan_approvals (run_id);

CREATE TABLE goldspan_executors (
    id TEXT PRIMARY KEY,
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    beat DOUBLE PRECISION NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE goldspan_outbox (
    event_id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    attributes TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL,
    sent_at DOUBLE PRECISION
);

CREATE INDEX goldspan_outbox_unsent ON goldspan_outbox (sent_at, at);
