"""The checklist: the page and the code agree, and every line fails where its subject is broken."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from goldspan.cli import main
from goldspan.evals.maturity import (
    LINES,
    Evidence,
    Finding,
    Line,
    assess,
    evidence,
    grade_of,
)
from goldspan.evals.maturity.config_lines import SECRET
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.scaffold import new_agent, new_version
from goldspan.harness.rules.stated import Cap
from goldspan.tracing.pricing import PriceEntry, Prices
from goldspan.tracing.redaction import Policy
from goldspan.tracing.store import Store
from tests.evals.maturity.conftest import CONTRACT, NOW
from tests.harness.scripted import ScriptedModel, act, write_version
from tests.harness.test_replay import record

PAGE = Path(__file__).parents[3] / "docs" / "checklist.md"
IDS = [line.id for line in LINES]


def test_page_and_code_have_the_same_lines() -> None:
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| ([^|]+) \|", PAGE.read_text("utf-8"), re.M)
    assert rows == [(line.id, line.needed, line.question) for line in LINES]
    assert len(set(IDS)) == len(IDS)


def failing(seen: Evidence) -> set[str]:
    return {line.id for line in LINES if not line.check(seen).met}


def test_an_agent_with_nothing_missing_is_production(perfect: Evidence) -> None:
    findings = tuple((line, line.check(perfect)) for line in LINES)
    assert failing(perfect) == set()
    assert grade_of(findings) == "Production"
    assert all(finding.evidence for _, finding in findings)


def history(**changes: Any) -> Callable[[Evidence], Evidence]:
    def broken(seen: Evidence) -> Evidence:
        assert seen.history is not None
        parts = {}
        for name, change in changes.items():
            old = getattr(seen.history, name)
            if name == "experiments":
                change = tuple({**old[0], **each} for each in change)
            elif isinstance(old, dict) and change is not None:
                change = {**old, **change}
            parts[name] = change
        return replace(seen, history=replace(seen.history, **parts))

    return broken


def tool(name: str, **changes: Any) -> Callable[[Evidence], Evidence]:
    def broken(seen: Evidence) -> Evidence:
        tools = tuple(replace(t, **changes) if t.name == name else t for t in seen.tools)
        return replace(seen, tools=tools)

    return broken


def renamed(seen: Evidence) -> Evidence:
    config = seen.version.config.model_copy(update={"model": "tiny-latest"})
    prices = Prices([PriceEntry(model="tiny-latest", input_usd=1, output_usd=2)])
    return replace(seen, version=replace(seen.version, config=config), prices=prices)


def loose(seen: Evidence) -> Evidence:
    """The acting tool goes unasked, as tools.yaml says, beside one that reads others' text."""
    entries = tuple(
        e.model_copy(update={"needs_approval": False}) if e.name == "write" else e
        for e in seen.version.entries
    )
    version = replace(seen.version, entries=entries)
    return tool("look", untrusted_output=True)(replace(seen, version=version))


def configured(part: str, **changes: Any) -> Callable[[Evidence], Evidence]:
    """With other fields in a part of config.yaml; without the part, where none is named."""

    def broken(seen: Evidence) -> Evidence:
        config = seen.version.config
        old = getattr(config, part)
        new = old.model_copy(update=changes) if changes else None
        config = config.model_copy(update={part: new})
        return replace(seen, version=replace(seen.version, config=config))

    return broken


def engine(**changes: Any) -> Callable[[Evidence], Evidence]:
    def broken(seen: Evidence) -> Evidence:
        assert seen.engine is not None
        return replace(seen, engine=replace(seen.engine, **changes))

    return broken


class Fetch(BaseModel):
    target_url: str


class FetchKnown(BaseModel):
    target_url: Literal["https://a.example", "https://b.example"]


def gone(name: str) -> Callable[[Evidence], Evidence]:
    def broken(seen: Evidence) -> Evidence:
        (seen.home.path / name).unlink()
        return seen

    return broken


def hand_made(seen: Evidence) -> Evidence:
    (seen.home.path / "current").write_text("v1.0.0\n", encoding="utf-8")
    return seen


def forced(seen: Evidence) -> Evidence:
    log = seen.home.path / "promotions.jsonl"
    text = log.read_text(encoding="utf-8").replace('"forced": false', '"forced": true')
    log.write_text(text, encoding="utf-8")
    return seen


def keeps_secrets(seen: Evidence) -> Evidence:
    path = seen.home.path / "redaction.yaml"
    path.write_text("patterns:\n  secrets: off\n", encoding="utf-8")
    return replace(seen, policy=Policy.load(path))


BREAKS: dict[str, Callable[[Evidence], Evidence]] = {
    "whole": lambda seen: replace(seen, fault="unknown tool 'fly'"),
    "limits": lambda seen: replace(seen, stated_limits=seen.stated_limits - {"max_seconds"}),
    "acts-ask": tool("write", needs_approval=False),
    "secrets": keeps_secrets,
    "current": hand_made,
    "readme": gone("v1.1.0/README.md"),
    "usd": lambda seen: replace(seen, prices=Prices()),
    "previews": tool("write", preview=None),
    "rollback": gone("v1.0.0/tools.yaml"),
    "untrusted": loose,
    "pinned": renamed,
    "gate": forced,
    "traced": history(runs={"runs": 0}, experiments=[]),
    "evaluated": history(experiments=[]),
    "cases": history(experiments=[{"cases": 19}]),
    "replayable": history(replay_fault="its input is not in the store"),
    "watch-20": history(runs={"runs": 19, "bad_runs": 0}),
    "repeats": history(experiments=[{"repeats": 2}]),
    "verdict": history(experiments=[{"verdict": "measured"}, {"verdict": "regression"}, {}]),
    "watch-200": history(runs={"runs": 199}),
    "endings": history(runs={"bad_runs": 21}),
    "steady": history(runs={"models": ["tiny-2026-01", "tiny-2026-02"]}),
    "priced": history(runs={"unpriced_calls": 1}),
    "people": history(approvals={"decided": 0}),
    "answered": history(approvals={"oldest": NOW - timedelta(days=4)}),
    "watched": lambda seen: replace(seen, rules_file=None),
    "typical": engine(costs=((0.02, 900),) * 9),
    "caps": configured("contract", caps=(Cap(of="other", max_calls=1),)),
    "breaker": configured("failure"),
    "egress": tool("look", parameters=Fetch),
    "drill": history(drill={"observed_at": NOW - timedelta(days=31)}),
    "waits": history(approvals={"decided": 10, "in_a_day": 8}),
    "outbox": engine(unsent=1, unsent_since=NOW - timedelta(minutes=11)),
    "retention": history(oldest=NOW - timedelta(days=181)),
}
ALSO = {
    "traced": {"evaluated", "cases", "repeats", "verdict", "watch-20", "watch-200", "endings"},
    "evaluated": {"cases", "repeats", "verdict"},
    "watch-20": {"watch-200", "endings"},
    "people": {"waits"},
}


@pytest.mark.parametrize("name", IDS)
def test_each_line_fails_where_its_subject_is_broken(name: str, perfect: Evidence) -> None:
    seen = BREAKS[name](perfect)
    (line,) = [line for line in LINES if line.id == name]
    assert line.check(seen).missing
    assert failing(seen) == {name} | ALSO.get(name, set())


def test_without_a_store_no_line_of_history_holds(perfect: Evidence) -> None:
    seen = replace(perfect, history=None)
    assert "traced" in failing(seen)
    findings = tuple((line, line.check(seen)) for line in LINES)
    assert grade_of(findings) == "Don't ship"


@pytest.mark.parametrize(
    ("needed", "grade"),
    [("Internal", "Don't ship"), ("Beta", "Internal"), ("Production", "Beta")],
)
def test_one_missing_line_keeps_the_grade_below(needed: Any, grade: str) -> None:
    def pair(level: Any, met: bool) -> tuple[Line, Finding]:
        return Line(f"{level}", level, "?", lambda _: Finding(met, "")), Finding(met, "")

    levels = ("Internal", "Beta", "Production")
    assert grade_of(tuple(pair(level, level != needed) for level in levels)) == grade


def test_the_secret_is_one_that_the_default_policy_knows() -> None:
    assert Policy().scrub_text(SECRET) != SECRET


def test_a_new_agents_readme_counts_as_none(tmp_path: Path) -> None:
    new_agent("fresh", tmp_path, model="openai:gpt-5")
    home = AgentFolder(tmp_path / "fresh")
    version = new_version(home, "v1.1.0")
    for each in (home.version("v1.0.0"), version):
        assert "readme" in failing(evidence(home, each, tmp_path / "none", now=NOW))


def test_the_command_grades_from_the_store_and_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    write_version(tmp_path / "agents" / "keeper" / "v1.0.0", contract=CONTRACT)
    (tmp_path / "agents" / "keeper" / "current").write_text("v1.0.0\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    record(
        tmp_path,
        ScriptedModel([act("write", text="hi")]),
        contract=AgentFolder.find()
        .version("v1.0.0")
        .config.contract.model_copy(update={"max_usd": None}),
    )

    def goldspan(*more: str) -> int | str | None:
        arguments = ["goldspan", "agent", "check", "--store", "s.duckdb", *more]
        monkeypatch.setattr(sys, "argv", arguments)
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    assert goldspan("--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["grade"] == "Don't ship"
    assert "evaluated" in told["missing"]
    lines = {line["id"]: line for line in told["lines"]}
    assert lines["traced"]["evidence"].startswith("1 real runs, 0 experiments")
    assert len(lines["traced"]["trace_id"]) == 32
    assert lines["answered"]["evidence"].startswith("1 wait")
    assert not lines["people"]["met"]
    assert lines["replayable"]["met"]
    assert goldspan("--at-least", "internal") == 1
    shown = capfd.readouterr().out
    assert "Internal needs evaluated: goldspan eval" in shown
    assert "keeper v1.0.0: Don't ship" in shown
    assert goldspan("--at-least", "gold") == 2
    (event, _) = Store.open("s.duckdb").rows(
        "SELECT attributes FROM events WHERE event_name = 'goldspan.agent.checked'"
    )
    assert json.loads(event["attributes"])["goldspan.agent.grade"] == "Don't ship"


def test_experiments_count_only_for_the_digest_that_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_version(tmp_path / "agents" / "keeper" / "v1.0.0")
    monkeypatch.chdir(tmp_path)
    answer = ScriptedModel([act("answer", text="x")])
    for number in range(4):
        about = {
            "goldspan.experiment.id": "e1",
            "goldspan.suite": "notes",
            "goldspan.case.id": f"c{number % 2}",
            "goldspan.case.repeat": number // 2,
        }
        record(tmp_path, answer, run_id=f"r{number}", attributes=about)
    home = AgentFolder.find()
    found = assess(home, home.version("v1.0.0"), tmp_path / "s.duckdb")
    told = {line.id: finding for line, finding in found.findings}
    assert told["cases"].evidence == "2 cases"
    assert told["repeats"].evidence == "each case ran 2 times"
    assert told["traced"].evidence.startswith("0 real runs, 1 experiments")
    prompt = home.path / "v1.0.0" / "system-prompt.md"
    prompt.write_text("Changed.\n", encoding="utf-8")
    changed = assess(home, home.version("v1.0.0"), tmp_path / "s.duckdb")
    assert not {line.id: finding for line, finding in changed.findings}["traced"].met
