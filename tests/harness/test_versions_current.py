"""Which version is current: made, promoted, taken back, and never changed without a trace."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from goldspan.cli.app import app
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.promotion_log import (
    Promotion,
    previous_version,
    read_log,
    record_promotion,
    send_promotions,
)
from goldspan.harness.agents.scaffold import new_agent, new_version
from goldspan.harness.agents.starter import Notebook
from goldspan.tracing.errors import ConfigError, GoldspanError, InputError
from goldspan.tracing.store import Store


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AgentFolder:
    monkeypatch.chdir(tmp_path)
    new_agent("scribe", Path("agents"), model="openai:gpt-5.2-mini")
    agent = AgentFolder.find()
    for version in ("v1.1.0", "v1.10.0", "v1.2.0"):
        made = new_version(agent, version)
        made.path.joinpath("system-prompt.md").write_text(version, encoding="utf-8")
    return agent


def promote(agent: AgentFolder, version: str) -> Promotion:
    promotion = agent.decided("promote", agent.own_version(version), by="tester")
    record_promotion(agent.path, replace(promotion, verdict="pass"))
    return promotion


def run(*argv: str) -> Any:
    return CliRunner().invoke(app, list(argv))


def test_a_new_agent_loads_with_its_tools_and_is_current(home: AgentFolder) -> None:
    version = home.version("current")
    assert (version.name, version.version, home.current) == ("scribe", "v1.0.0", "v1.0.0")
    assert [tool.name for tool in version.tools(version.environment())] == [
        "read_note", "write_note",
    ]  # fmt: skip
    assert (version.config.provider, version.config.model) == ("openai", "gpt-5.2-mini")
    assert home.versions() == ["v1.0.0", "v1.1.0", "v1.2.0", "v1.10.0"]


def test_the_starters_notebook_keeps_notes(tmp_path: Path) -> None:
    desk = Notebook()
    desk.prepare(tmp_path / "w", {"plan": "ship it"})
    assert desk.end_state(tmp_path / "w") == {"notes": {"plan": "ship it"}}
    with pytest.raises(ValueError, match="pattern"):
        desk.prepare(tmp_path / "x", {"../out": "no"})


def test_a_rollback_goes_back_step_by_step(home: AgentFolder) -> None:
    promote(home, "v1.1.0")
    promote(home, "v1.2.0")
    assert home.roll_back(None, by="t", because="b").to_version == "v1.1.0"
    assert home.roll_back(None, by="t", because="b").to_version == "v1.0.0"
    with pytest.raises(ConfigError, match=r"knows no version before v1\.0\.0"):
        home.roll_back(None, by="t", because="b")
    promote(home, "v1.10.0")
    assert home.roll_back("v1.1.0", by="t", because="b").from_version == "v1.10.0"
    assert home.current == "v1.1.0"
    assert [entry.action for entry in read_log(home.path)].count("rollback") == 3
    assert previous_version(read_log(home.path), "v1.1.0") == "v1.0.0"


def test_what_changed_since_the_decision_is_not_overrun(home: AgentFolder) -> None:
    late = home.decided("promote", home.own_version("v1.2.0"), by="late")
    promote(home, "v1.1.0")
    with pytest.raises(ConfigError, match=r"current is v1\.1\.0 now, and was v1\.0\.0"):
        record_promotion(home.path, late)
    ready = home.decided("promote", home.own_version("v1.2.0"), by="t")
    (home.path / "v1.2.0" / "system-prompt.md").write_text("edited", encoding="utf-8")
    with pytest.raises(ConfigError, match="has changed since it was measured"):
        record_promotion(home.path, ready)
    assert (home.current, len(home.log())) == ("v1.1.0", 1)


def test_a_broken_current_version_can_be_left(home: AgentFolder) -> None:
    promote(home, "v1.1.0")
    (home.path / "v1.1.0" / "config.yaml").write_text("model: [", encoding="utf-8")
    assert home.roll_back(None, by="t", because="it is broken").to_version == "v1.0.0"


def test_a_torn_line_is_told_with_its_number_and_no_line_is_glued_to_it(home: AgentFolder) -> None:
    promote(home, "v1.1.0")
    log = home.path / "promotions.jsonl"
    log.write_text(log.read_text()[:-5], encoding="utf-8")
    with pytest.raises(InputError, match=r"promotions\.jsonl:1: is no promotion"):
        home.log()
    promote(home, "v1.2.0")
    assert json.loads(log.read_text().splitlines()[1])["to_version"] == "v1.2.0"


def test_the_store_has_each_promotion_once_also_of_a_log_that_it_missed(home: AgentFolder) -> None:
    store = Path("s.duckdb")
    promote(home, "v1.1.0")  # as if the store had not taken this one
    promote(home, "v1.2.0")
    send_promotions(home.path, store)
    home.roll_back(None, by="someone", because="it was slow")
    send_promotions(home.path, store)
    rows = Store.open(store).rows(
        "SELECT event_name, attributes FROM events WHERE event_name LIKE 'goldspan.agent.%' "
        "ORDER BY observed_at"
    )
    assert [row["event_name"].rsplit(".", 1)[1] for row in rows] == [
        "promoted", "promoted", "rolled_back",
    ]  # fmt: skip
    last = json.loads(rows[-1]["attributes"])
    assert last["goldspan.reason"] == "it was slow"
    assert last["goldspan.promotion.by"] == "someone"
    assert last["goldspan.agent.previous_version"] == "v1.2.0"
    assert last["goldspan.agent.digest"] == home.version("v1.1.0").digest


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda home: new_agent("scribe", Path("agents"), model="m"), "is there already"),
        (lambda home: new_agent("../x", Path("agents"), model="m"), "no name for an agent"),
        (lambda home: new_version(home, "1.1"), "write it as v1.2.3"),
        (lambda home: new_version(home, "v1.1.0"), "is there already"),
        (lambda home: new_version(home, "v2.0.0", source="v9.0.0"), "no version 'v9.0.0'"),
        (lambda home: AgentFolder.find("nobody"), "one of scribe"),
        (lambda home: home.own_version("/nowhere"), "has no version"),
        (lambda home: home.decided("promote", home.version("v1.0.0"), by=""), "current already"),
        (lambda home: home.roll_back(None, by="", because="x"), "say which one with --to"),
    ],
)
def test_wrong_use_is_told(home: AgentFolder, call: Any, said: str) -> None:
    with pytest.raises(GoldspanError, match=said):
        call(home)


def test_the_commands_show_and_change_what_is_current(home: AgentFolder) -> None:
    made = run("agent", "new", "v2.0.0", "--from", "v1.1.0")
    assert made.exit_code == 0, made.output
    assert home.version("v2.0.0").system_prompt == "v1.1.0"
    same = run("agent", "diff", "v1.1.0", "v2.0.0")
    assert "nothing that matters differs: same digest" in same.output
    changed = run("agent", "diff", "v1.1.0", "v1.2.0")
    assert "-v1.1.0" in changed.output
    assert "+v1.2.0" in changed.output
    shown = json.loads(run("agent", "show", "--json").stdout)
    assert (shown["version"], shown["current"]) == ("v1.0.0", True)
    forced = run(
        "agent", "promote", "v1.2.0", "--force", "--because", "a demo", "--store", "s.duckdb"
    )
    assert forced.exit_code == 0, forced.output
    assert "the gate was overridden (not measured)" in forced.output
    back = run("agent", "rollback", "--because", "too soon", "--store", "s.duckdb", "--by", "me")
    assert back.exit_code == 0, back.output
    (home.path / "current").write_text("v1.1.0\n", encoding="utf-8")
    listed = json.loads(run("agent", "list", "--json").stdout)
    assert "it was changed by hand" in listed["warning"]
    first, second = listed["promotions"]
    assert (first["forced"], first["verdict"], first["because"]) == (True, None, "a demo")
    assert (second["action"], second["by"], second["to_version"]) == ("rollback", "me", "v1.0.0")
