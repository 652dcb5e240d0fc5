"""The commands: exit codes, JSON, and one clear line for what is wrong."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from goldspan.cli import monitor
from goldspan.harness.simulator import Simulation
from goldspan.tracing.errors import ConfigError, StoreError
from goldspan.tracing.store import Store

RUNNER = CliRunner()


def _call(*arguments: str) -> Any:
    app = typer.Typer()
    monitor.register(app)
    return RUNNER.invoke(app, list(arguments))


@pytest.fixture
def span(end: datetime) -> list[str]:
    return ["--since", "2026-11-07T06:00", "--until", end.isoformat()]


def test_findings_exit_1_and_read_well(
    simulated: tuple[Store, Simulation], span: list[str]
) -> None:
    store, _ = simulated
    arguments = ["monitor", "check", "--store", str(store.path), *span, "--simulated", "--no-emit"]
    result = _call(*arguments)
    assert result.exit_code == 1
    assert "simulated traffic" in result.stdout
    assert "2 findings" in result.stdout
    assert store.rows("SELECT 1 FROM alerts") == []
    as_json = json.loads(_call(*arguments, "--json").stdout)
    assert [f["monitor"] for f in as_json["findings"]] == ["cost-spike", "tool-call-drift"]
    assert as_json["exit_code"] == 1
    assert as_json["alerts_stored"] is None


def test_simulate_then_check_emits_once(tmp_path: Path) -> None:
    store = str(tmp_path / "s.duckdb")
    made = _call("simulate", "--store", store, "--end", "2026-11-21T06:00", "--json")
    assert made.exit_code == 0
    assert json.loads(made.stdout)["truth"]["drift_factor"] == 1.4
    arguments = ["monitor", "check", "-s", store, "--since", "2026-11-07T06:00"]
    arguments += ["--until", "2026-11-21T06:00", "--simulated", "--json"]
    assert json.loads(_call(*arguments).stdout)["alerts_stored"] == 2
    assert json.loads(_call(*arguments).stdout)["alerts_stored"] == 0


@pytest.mark.parametrize(("left_out", "found"), [("drift", "spike"), ("spike", "drift")])
def test_each_planted_change_can_be_left_out(tmp_path: Path, left_out: str, found: str) -> None:
    store = str(tmp_path / "s.duckdb")
    end = ["--until", "2026-11-21T06:00"]
    _call("simulate", "-s", store, "--end", end[1], f"--no-{left_out}", "--json")
    result = _call("monitor", "check", "-s", store, *end, "--simulated", "--json", "--no-emit")
    assert [f["monitor"].rpartition("-")[2] for f in json.loads(result.stdout)["findings"]] == [
        found
    ]
    assert result.exit_code == 1


def test_quiet_traffic_exits_0(tmp_path: Path) -> None:
    store = str(tmp_path / "s.duckdb")
    end = ["--until", "2026-11-21T06:00"]
    _call("simulate", "-s", store, "--end", end[1], "--no-drift", "--no-spike")
    result = _call("monitor", "check", "-s", store, *end, "--simulated")
    assert result.exit_code == 0
    assert "nothing fires" in result.stdout


def test_nothing_to_measure_exits_4_with_a_hint(
    simulated: tuple[Store, Simulation], span: list[str]
) -> None:
    result = _call("monitor", "check", "-s", str(simulated[0].path), *span)
    assert result.exit_code == 4
    assert "hint:" in result.stderr
    assert "nothing fires" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        (["--store", "{dir}/none.duckdb"], StoreError, "no such store"),
        (["--store", "{dir}"], StoreError, "is a directory"),
        (["--store", "{store}", "--since", "yesterday"], ConfigError, "--since"),
        (["--store", "{store}", "--since", "2026-13-45"], ConfigError, "is no time"),
        (["--store", "{store}", "--config", "{dir}/none.yaml"], ConfigError, "none.yaml"),
        (["--store", "{store}", "--since", "1d", "--until", "2d"], ConfigError, "before it starts"),
    ],
)
def test_what_is_wrong_is_one_clear_error(
    simulated: tuple[Store, Simulation],
    tmp_path: Path,
    arguments: list[str],
    kind: type[Exception],
    said: str,
) -> None:
    names = {"dir": tmp_path, "store": simulated[0].path}
    result = _call("monitor", "check", *(a.format(**names) for a in arguments))
    assert isinstance(result.exception, kind)
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
