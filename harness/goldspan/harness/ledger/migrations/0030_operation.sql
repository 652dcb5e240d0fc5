CREATE TABLE goldspan_targets (
    target TEXT PRIMARY KEY,
    since DOUBLE PRECISION NOT NULL
);

CREATE TABLE goldspan_deliveries (
    run_id TEXT NOT NULL,
    target TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 1,
    next_at DOUBLE PRECISION NOT NULL,
    done_at DOUBLE PRECISION,
    problem TEXT,
    PRIMARY KEY (run_id, target)
);
