-- What is decided anew about stored spans? It replaces what was decided before.
UPDATE span_data
SET
    run_id = t.run_id,
    batch_id = t.batch_id,
    experiment_id = t.experiment_id,
    suite = t.suite,
    case_id = t.case_id,
    case_repeat = t.case_repeat,
    agent_name = t.agent_name,
    agent_version = t.agent_version,
    agent_digest = t.agent_digest,
    session_id = t.session_id,
    user_id = t.user_id,
    simulated = t.simulated,
    inherited = t.inherited,
    is_duplicate = t.is_duplicate,
    ambiguous = t.ambiguous,
    cost_usd = t.cost_usd,
    price_source = t.price_source,
    price_version = t.price_version
FROM touched AS t
WHERE span_data.rowid = t.rowid
