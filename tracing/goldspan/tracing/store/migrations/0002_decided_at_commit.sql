-- What depends on several records is decided at commit and stands in the span's own row, so that no view
-- joins or aggregates for it. `inherited` is a bit mask of the context columns that came from an ancestor.
-- Long text is compressed with zstd: half the size of the default, and no slower to search.
CREATE TABLE new_span_data (
    trace_id VARCHAR NOT NULL,
    span_id VARCHAR NOT NULL,
    parent_span_id VARCHAR,
    name VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    started_at TIMESTAMP,
    ended_at TIMESTAMP,
    duration_ms DOUBLE,
    status VARCHAR NOT NULL,
    status_message VARCHAR,
    service_name VARCHAR,
    scope_name VARCHAR,
    scope_version VARCHAR,
    attributes VARCHAR USING COMPRESSION zstd,
    resource VARCHAR,
    span_events VARCHAR USING COMPRESSION zstd,
    links VARCHAR,
    fullness BIGINT NOT NULL,
    category VARCHAR,
    operation VARCHAR,
    error_type VARCHAR,
    error_message VARCHAR,
    provider VARCHAR,
    request_model VARCHAR,
    response_model VARCHAR,
    response_id VARCHAR,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cached_input_tokens BIGINT,
    cache_write_tokens BIGINT,
    reasoning_tokens BIGINT,
    usage_estimated BOOLEAN,
    emitter_cost_usd DOUBLE,
    finish_reasons VARCHAR[],
    system_instructions VARCHAR USING COMPRESSION zstd,
    input_messages VARCHAR USING COMPRESSION zstd,
    output_messages VARCHAR USING COMPRESSION zstd,
    time_to_first_token_ms DOUBLE,
    tool_name VARCHAR,
    tool_call_id VARCHAR,
    tool_type VARCHAR,
    tool_arguments VARCHAR USING COMPRESSION zstd,
    tool_result VARCHAR USING COMPRESSION zstd,
    reasoning VARCHAR USING COMPRESSION zstd,
    alternatives VARCHAR,
    confidence DOUBLE,
    replayed BOOLEAN,
    outcome VARCHAR,
    reason VARCHAR,
    run_id VARCHAR,
    batch_id VARCHAR,
    experiment_id VARCHAR,
    suite VARCHAR,
    case_id VARCHAR,
    case_repeat BIGINT,
    agent_name VARCHAR,
    agent_version VARCHAR,
    agent_digest VARCHAR,
    session_id VARCHAR,
    user_id VARCHAR,
    simulated BOOLEAN,
    inherited BIGINT,
    is_duplicate BOOLEAN,
    ambiguous BOOLEAN,
    cost_usd DOUBLE,
    price_source VARCHAR,
    price_version VARCHAR,
    problem VARCHAR
);

INSERT INTO new_span_data BY NAME
SELECT
    s.* REPLACE (
        coalesce(s.run_id, c.run_id) AS run_id,
        coalesce(s.batch_id, c.batch_id) AS batch_id,
        coalesce(s.experiment_id, c.experiment_id) AS experiment_id,
        coalesce(s.suite, c.suite) AS suite,
        coalesce(s.case_id, c.case_id) AS case_id,
        coalesce(s.case_repeat, c.case_repeat) AS case_repeat,
        coalesce(s.agent_name, c.agent_name) AS agent_name,
        coalesce(s.agent_version, c.agent_version) AS agent_version,
        coalesce(s.agent_digest, c.agent_digest) AS agent_digest,
        coalesce(s.session_id, c.session_id) AS session_id,
        coalesce(s.user_id, c.user_id) AS user_id,
        coalesce(s.simulated, c.simulated) AS simulated
    ),
    (CASE WHEN s.run_id IS NULL AND c.run_id IS NOT NULL THEN 1 ELSE 0 END)
    + (CASE WHEN s.batch_id IS NULL AND c.batch_id IS NOT NULL THEN 2 ELSE 0 END)
    + (CASE WHEN s.experiment_id IS NULL AND c.experiment_id IS NOT NULL THEN 4 ELSE 0 END)
    + (CASE WHEN s.suite IS NULL AND c.suite IS NOT NULL THEN 8 ELSE 0 END)
    + (CASE WHEN s.case_id IS NULL AND c.case_id IS NOT NULL THEN 16 ELSE 0 END)
    + (CASE WHEN s.case_repeat IS NULL AND c.case_repeat IS NOT NULL THEN 32 ELSE 0 END)
    + (CASE WHEN s.agent_name IS NULL AND c.agent_name IS NOT NULL THEN 64 ELSE 0 END)
    + (CASE WHEN s.agent_version IS NULL AND c.agent_version IS NOT NULL THEN 128 ELSE 0 END)
    + (CASE WHEN s.agent_digest IS NULL AND c.agent_digest IS NOT NULL THEN 256 ELSE 0 END)
    + (CASE WHEN s.session_id IS NULL AND c.session_id IS NOT NULL THEN 512 ELSE 0 END)
    + (CASE WHEN s.user_id IS NULL AND c.user_id IS NOT NULL THEN 1024 ELSE 0 END)
    + (CASE WHEN s.simulated IS NULL AND c.simulated IS NOT NULL THEN 2048 ELSE 0 END) AS inherited,
    p.cost_usd,
    p.price_source,
    p.price_version
FROM span_data AS s
LEFT JOIN span_context AS c ON c.trace_id = s.trace_id AND c.span_id = s.span_id
LEFT JOIN call_price AS p ON p.trace_id = s.trace_id AND p.span_id = s.span_id;

DROP TABLE span_data;
DROP TABLE span_context;
DROP TABLE call_price;
ALTER TABLE new_span_data RENAME TO span_data;

-- What log records and duplicates tell of a call or an execution that its own span does not; decided
-- anew at every commit for the traces that it touches. `usage_replaced`: the span's own counts are
-- an estimate, or half of it, and these stand instead.
ALTER TABLE call_detail ADD COLUMN usage_estimated BOOLEAN;
ALTER TABLE call_detail ADD COLUMN emitter_cost_usd DOUBLE;
ALTER TABLE call_detail ADD COLUMN usage_replaced BOOLEAN;
ALTER TABLE call_detail ADD COLUMN tool_name VARCHAR;
ALTER TABLE call_detail ADD COLUMN tool_call_id VARCHAR;
ALTER TABLE call_detail ADD COLUMN tool_arguments VARCHAR;
ALTER TABLE call_detail ADD COLUMN tool_result VARCHAR;

-- The evidence: which span states again what another one states, and by which rule.
CREATE TABLE duplicate_data (
    trace_id VARCHAR NOT NULL,
    span_id VARCHAR NOT NULL,
    of_trace_id VARCHAR NOT NULL,
    of_span_id VARCHAR NOT NULL,
    rule VARCHAR NOT NULL
);

-- One row a trace. `input` and `output` are the first 4,000 characters, for lists and searches.
CREATE TABLE trace_data (
    trace_id VARCHAR NOT NULL,
    started_at TIMESTAMP,
    last_started_at TIMESTAMP,
    ended_at TIMESTAMP,
    root_span_id VARCHAR NOT NULL,
    root_name VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    error_type VARCHAR,
    service_name VARCHAR,
    input_span_id VARCHAR,
    output_span_id VARCHAR,
    input VARCHAR USING COMPRESSION zstd,
    output VARCHAR USING COMPRESSION zstd,
    span_count BIGINT NOT NULL,
    llm_calls BIGINT NOT NULL,
    tool_calls BIGINT NOT NULL,
    error_count BIGINT NOT NULL,
    ambiguous_calls BIGINT NOT NULL,
    input_tokens BIGINT,
    output_tokens BIGINT,
    cost_usd DOUBLE,
    spent_usd DOUBLE,
    unpriced_calls BIGINT NOT NULL,
    outcome VARCHAR,
    run_id VARCHAR,
    batch_id VARCHAR,
    experiment_id VARCHAR,
    suite VARCHAR,
    case_id VARCHAR,
    case_repeat BIGINT,
    agent_name VARCHAR,
    agent_version VARCHAR,
    agent_digest VARCHAR,
    session_id VARCHAR,
    user_id VARCHAR,
    simulated BOOLEAN
);
