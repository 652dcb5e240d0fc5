"""An agent for which every line of the checklist holds."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from goldspan.evals.maturity import Evidence, History, evidence
from goldspan.evals.maturity.engine_state import EngineState
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.promotion_log import record_promotion
from tests.harness.scripted import write_version

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = timedelta(days=1)
LIMITS = "max_tokens: 90000, max_tool_calls: 9, max_seconds: 60, max_iterations: 9, max_usd: 1"
CONTRACT = f"{{{LIMITS}, caps: [{{of: act, max_calls: 9}}]}}"


@pytest.fixture
def perfect(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Evidence:
    """An agent for which every line holds."""
    monkeypatch.delenv("GOLDSPAN_PRICES", raising=False)
    agent = tmp_path / "agents" / "keeper"
    for name in ("v1.0.0", "v1.1.0"):
        folder = write_version(agent / name, contract=CONTRACT)
        readme = f"# {name}\n\nKeeps notes for the desk. Ann looks after it.\n"
        (folder / "README.md").write_text(readme, encoding="utf-8")
        with (folder / "config.yaml").open("a", encoding="utf-8") as config:
            config.write("failure: {}\n")
    (tmp_path / "prices.yaml").write_text(
        "prices:\n- model: tiny\n  provider: local\n  input_usd: 1\n  output_usd: 2\n",
        encoding="utf-8",
    )
    (tmp_path / "monitors.yaml").write_text("cost_spike: {factor: 3}\n", encoding="utf-8")
    home = AgentFolder(agent)
    for name in ("v1.0.0", "v1.1.0"):
        decided = home.decided("promote", home.version(name), by="ann")
        record_promotion(agent, replace(decided, verdict="pass"))
    seen = evidence(home, home.version("v1.1.0"), tmp_path / "s.duckdb", now=NOW)
    assert seen.history is None
    assert seen.engine is None
    history = History(
        runs={
            "runs": 300,
            "bad_runs": 4,
            "running": 0,
            "newest_trace": "a" * 32,
            "newest_bad_trace": "b" * 32,
            "unpriced_calls": 0,
            "models": ["tiny-2026-01"],
        },
        approvals={
            "decided": 3,
            "reviewers": 2,
            "pending": 1,
            "oldest": NOW - timedelta(hours=5),
            "oldest_trace": "c" * 32,
            "in_a_day": 3,
            "longest_ms": 7_200_000.0,
        },
        experiments=(
            {
                "experiment_id": "e1",
                "suite": "desk",
                "cases": 24,
                "repeats": 5,
                "trace_id": "d" * 32,
                "verdict": "pass",
            },
        ),
        drill={
            "observed_at": NOW - timedelta(days=6),
            "passed": True,
            "result": json.dumps({"runs": 3, "held_ms": 608.0}),
        },
        oldest=NOW - timedelta(days=120),
    )
    engine = EngineState(costs=((0.02, 900),) * 12, unsent=0, unsent_since=None, old_runs=False)
    return replace(seen, history=history, engine=engine)
