CREATE TABLE goldspan_sessions (
    run_id TEXT PRIMARY KEY,
    session TEXT NOT NULL,
    agent TEXT NOT NULL,
    task TEXT NOT NULL,
    answer TEXT NOT NULL,
    at DOUBLE PRECISION NOT NULL
);

CREATE INDEX goldspan_sessions_by_session ON goldspan_sessions (session, agent, at);
