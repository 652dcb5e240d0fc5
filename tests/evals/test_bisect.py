"""Bisection: the search on truths that are known, then whole ones with a model on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from goldspan.cli.app import app
from goldspan.evals.bisect import Bisection
from goldspan.evals.delta_debugging import (
    Outcome,
    each_alone,
    find_causes,
    minimal_failing,
    most_probes,
    probes_if_one,
)
from goldspan.evals.session import EvalOptions
from goldspan.evals.suite import load_suite
from goldspan.harness.agents.version import AgentVersion
from goldspan.tracing.errors import ConfigError, PricingError
from tests.evals.chatting import (
    ChatServer,
    asked_of,
    chatting,
    system_of,
    write_agent,
    write_suite,
)

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Truth:
    """An oracle that knows the causes, counts what it is asked, and may not tell everything."""

    def __init__(self, *causes: set[str], silent: tuple[frozenset[str], ...] = ()) -> None:
        self.causes = causes
        self.silent = silent
        self.asked: list[frozenset[str]] = []

    def __call__(self, parts: frozenset[str]) -> Outcome:
        self.asked.append(parts)
        if parts in self.silent:
            return "unresolved"
        return "fail" if any(cause <= parts for cause in self.causes) else "pass"


@given(st.data())
def test_the_minimal_cause_is_found_exactly(data: st.DataObject) -> None:
    parts = [f"p{i}" for i in range(data.draw(st.integers(1, 12)))]
    cause = data.draw(st.sets(st.sampled_from(parts), min_size=1))
    truth = Truth(cause)
    assert set(minimal_failing(parts, truth)) == cause
    assert len(truth.asked) <= len(parts) ** 2 + 3 * len(parts)
    assert len(set(truth.asked)) <= max(most_probes(len(parts)), 0)
    if len(cause) == 1 and len(parts) > 1:
        truth = Truth(cause)
        find_causes(parts, truth)
        assert len(set(truth.asked)) <= probes_if_one(len(parts))


@given(st.data())
def test_causes_that_share_nothing_are_all_found(data: st.DataObject) -> None:
    parts = [f"p{i}" for i in range(data.draw(st.integers(2, 10)))]
    shuffled = data.draw(st.permutations(parts))
    cut = data.draw(st.integers(1, len(parts) - 1))
    size = data.draw(st.integers(1, len(parts) - cut))
    causes = [set(shuffled[:cut]), set(shuffled[cut : cut + size])]
    found = find_causes(parts, Truth(*causes))
    assert sorted(map(sorted, found.causes)) == sorted(map(sorted, causes))
    assert found.rest == (None if cut + size == len(parts) else "pass")


@given(st.sets(st.frozensets(st.sampled_from("abcd"), min_size=1, max_size=3), max_size=6))
def test_probes_that_tell_nothing_never_give_a_wrong_cause(silent: set[frozenset[str]]) -> None:
    found = minimal_failing("abcd", Truth({"b"}, silent=tuple(silent)))
    assert "b" in found


def test_each_alone_says_when_only_a_combination_fails() -> None:
    assert each_alone("abc", Truth({"b"})).causes == (("b",),)
    assert each_alone("abc", Truth({"b"})).rest == "pass"
    both = each_alone("abc", Truth({"a", "c"}))
    assert (both.causes, both.rest) == ((), "fail")


# -- with a model

GOOD = "You cry words.\n\nSHOUT them.\n\nBe brief.\n\nBe kind.\n"


def crier(body: dict[str, Any]) -> str:
    """In capitals where the prompt says SHOUT, unless it is hot and the prompt says DARE."""
    system = system_of(body)
    wild = body["temperature"] > 0.5 and "DARE" in system
    loud = "SHOUT" in system and "WHISPER" not in system and not wild
    return asked_of(body).upper() if loud else asked_of(body)


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chatting(crier) as state:
        yield state


def bisection(folder: Path, server: ChatServer, bad: Path, **more: Any) -> Bisection:
    good = folder / "agents" / "crier" / "v1.0.0"
    if not good.exists():
        write_agent(folder, "v1.0.0", GOOD)
    options = EvalOptions(store=folder / "s.duckdb", base_url=server.url, model="tiny")
    return Bisection(
        AgentVersion.load(good), AgentVersion.load(bad), load_suite(write_suite(folder)), options,
        **more,
    )  # fmt: skip


def test_one_field_among_many_changes(tmp_path: Path, server: ChatServer) -> None:
    bad = write_agent(
        tmp_path, "v1.1.0", GOOD.replace("SHOUT", "Say"), temperature=0.2, tools=("write", "look"),
        tokens=2000,
    )  # fmt: skip
    found = bisection(tmp_path, server, bad)
    assert found.parts == [
        "system-prompt", "config.settings.temperature", "config.contract.max_tokens", "tools.order",
    ]  # fmt: skip
    result = found.run()
    assert (result.ending, result.exit_code, result.rest) == ("found", 1, "pass")
    assert [[change.part for change in cause] for cause in result.causes] == [["system-prompt"]]
    assert result.answer()[0] == "v1.0.0 → v1.1.0: system-prompt did it."
    assert result.probes[0].parts == tuple(found.parts)
    assert "-SHOUT them." in result.causes[0][0].lines()
    alone = next(probe for probe in result.probes if probe.parts == ("system-prompt",))
    assert (alone.verdict, alone.version) == ("regression", "v1.0.0+system-prompt")
    assert alone.digest not in (found.good.digest, found.bad.digest)


def test_a_combination_and_what_is_in_the_store_is_not_run_again(
    tmp_path: Path, server: ChatServer
) -> None:
    prompt = GOOD.replace("Be brief.", "DARE.").replace("kind", "polite")
    bad = write_agent(tmp_path, "v1.1.0", prompt, temperature=0.9)
    result = bisection(tmp_path, server, bad, hunks=True).run()
    (cause,) = result.causes
    assert [change.part for change in cause] == ["system-prompt#1", "config.settings.temperature"]
    assert result.rest == "pass"
    assert "+DARE." in cause[0].lines()
    assert "+Be polite." not in cause[0].lines()
    asked = len(server.seen)
    again = bisection(tmp_path, server, bad, hunks=True).run()
    assert len(server.seen) == asked
    assert again.causes == result.causes
    assert all(probe.kept_runs == probe.runs >= 8 for probe in again.probes)


def test_parts_that_do_not_go_together_are_said(tmp_path: Path, server: ChatServer) -> None:
    bad = write_agent(tmp_path, "v1.1.0", GOOD + "WHISPER too.\n", tools=("look",), temperature=0.1)
    (bad / "examples.yaml").write_text(
        "- task: t\n  steps: [{action: look, arguments: {what: a}}]\n", encoding="utf-8"
    )
    good = write_agent(tmp_path, "v1.0.0", GOOD)
    (good / "examples.yaml").write_text(
        "- task: t\n  steps: [{action: write, arguments: {text: a}}]\n", encoding="utf-8"
    )
    result = bisection(tmp_path, server, bad, strategy="each").run()
    assert [[c.part for c in cause] for cause in result.causes] == [["system-prompt"]]
    invalid = [probe for probe in result.probes if probe.verdict == "invalid"]
    assert invalid
    assert "which is no tool of this version" in str(invalid[0].reason)
    assert f"{len(invalid)} probes settled nothing" in result.answer()[-1]


def test_no_regression_and_an_outage_are_no_answer(tmp_path: Path, server: ChatServer) -> None:
    bad = write_agent(tmp_path, "v1.1.0", GOOD, temperature=0.3)
    healthy = bisection(tmp_path, server, bad).run()
    assert (healthy.ending, healthy.exit_code, healthy.causes) == ("no regression", 0, ())
    server.down = True
    away = bisection(tmp_path, server, bad, fresh="again").run()
    assert (away.ending, away.exit_code) == ("unmeasured", 4)
    assert "8 of 8 runs" in str(away.reason)


def test_a_limit_of_costs_stops_between_experiments(tmp_path: Path, server: ChatServer) -> None:
    bad = write_agent(tmp_path, "v1.1.0", "Say words.", temperature=0.2, tokens=2000)
    with pytest.raises(PricingError, match="local/tiny has no price"):
        bisection(tmp_path, server, bad, max_cost_usd=1.0)
    (tmp_path / "prices.yaml").write_text(
        "prices: [{model: tiny, input_usd: 10, output_usd: 10}]\n", encoding="utf-8"
    )
    stopped = bisection(tmp_path, server, bad, max_cost_usd=0.025).run()  # 0.0096 a stage
    assert (stopped.exit_code, stopped.causes) == (4, ())
    assert [len(probe.parts) for probe in stopped.probes] == [3]
    assert "--max-cost" in str(stopped.reason)


def test_versions_that_do_not_differ_are_refused(tmp_path: Path, server: ChatServer) -> None:
    with pytest.raises(ConfigError, match="same digest"):
        bisection(tmp_path, server, write_agent(tmp_path, "v1.1.0", GOOD))
    bad = write_agent(tmp_path, "v1.2.0", GOOD)
    (bad / "tools.yaml").write_text("# a word\n- name: look\n- name: write\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="only in comments"):
        bisection(tmp_path, server, bad)


def test_a_function_finds_the_version_by_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_agent.py").write_text(
        "import os, pathlib\n"
        "def reply(text):\n"
        "    home = pathlib.Path(os.environ['GOLDSPAN_AGENT_FOLDER'])\n"
        "    loud = 'SHOUT' in (home / 'system-prompt.md').read_text()\n"
        "    return text.upper() if loud else text\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.chdir(tmp_path)
    write_suite(tmp_path)
    write_agent(tmp_path, "v1.0.0", GOOD)
    write_agent(tmp_path, "v1.1.0", "Say words.", temperature=0.2)
    argv = ["bisect", "v1.0.0", "v1.1.0", "--suite", "suite.yaml", "--target", "their_agent:reply"]
    argv += ["--store", "s.duckdb"]
    planned = CliRunner().invoke(app, [*argv, "--plan"])
    assert planned.exit_code == 0
    assert "8 cases, 1 repeat)" in planned.output
    assert not Path("s.duckdb").exists()
    done = CliRunner().invoke(app, [*argv, "--json"])
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    assert [[change["part"] for change in cause] for cause in told["causes"]] == [["system-prompt"]]
    shown = CliRunner().invoke(app, argv)
    assert "v1.0.0 → v1.1.0: system-prompt did it." in shown.output
    assert "-SHOUT them." in shown.output
