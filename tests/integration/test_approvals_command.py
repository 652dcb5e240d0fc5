"""`goldspan approvals`: the worked example of docs/approvals.md, and what a person gets wrong."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from goldspan.cli.app import app
from goldspan.cli.demo_folder import DemoFolder
from goldspan.harness.approvals import Proposal
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.ledger import Intent, Ledger, default_url
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.operation.outbox import unsent
from goldspan.tracing.errors import ConfigError, InputError
from goldspan.tracing.store import Store

PAGE = Path(__file__).parents[2] / "docs" / "approvals.md"
BLOCK = re.compile(r"^(?:`(\S+)`:\n\n)?```(\w+)\n(.*?)```", re.DOTALL | re.MULTILINE)
SCHEMA = {"type": "object", "properties": {"amount_usd": {"type": "number"}}}


def test_the_worked_example_of_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    DemoFolder.prepare(tmp_path / "goldspan-demo")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOLDSPAN_ENGINE", raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    said: dict[str, str] = {}
    text = PAGE.read_text(encoding="utf-8").split("## Which calls wait")[0]
    for name, kind, body in BLOCK.findall(text):
        if name:
            (tmp_path / "goldspan-demo" / name).write_text(body, encoding="utf-8")
        for line in body.splitlines() if kind == "console" else ():
            word, *rest = shlex.split(line.removeprefix("$ "))
            if word == "cd":
                monkeypatch.chdir(rest[0])
            elif word == "export":
                monkeypatch.setenv(*rest[0].split("="))
            else:
                assert word == "goldspan"
                said[" ".join(rest[:3])] = _goldspan(*rest)
        if kind == "text":
            for shown in body.splitlines():
                assert shown in said["approvals show 7629"]
    assert "issue_refund" in said["approvals list"]
    assert "edited as" in said["approvals approve 7629"]
    store = Store.open("approvals.duckdb")
    (run,) = store.rows("SELECT outcome, segments, output FROM runs")
    assert (run["outcome"], run["segments"]) == ("completed", 2)
    assert f"*{run['output']}*" in text
    (row,) = store.rows("SELECT * FROM approvals")
    assert (row["decision"], row["reviewer"]) == ("edit", "ana")
    assert json.loads(row["edited_arguments"])["amount_usd"] == 150
    (tool,) = store.rows("SELECT arguments FROM tool_calls WHERE tool_name = 'issue_refund'")
    assert json.loads(tool["arguments"])["amount_usd"] == 150


def _goldspan(*argv: str) -> str:
    """Run a command; what brings up the engine, of which a process has one, in one of its own."""
    if argv[0] not in ("enqueue", "worker"):
        done = CliRunner().invoke(app, argv)
        assert done.exit_code == 0, done.output
        return done.stdout
    code = "from goldspan.cli import main; main()"
    ran = subprocess.run(
        [sys.executable, "-c", code, *argv], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """The engine's database of the folder that commands run in, with one refund that waits."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("GOLDSPAN_ENGINE", raising=False)
    with closing(Ledger(default_url(tmp_path / ".goldspan" / "goldspan.duckdb"))) as opened:
        Approvals(opened).ask(
            Proposal(
                "abc1",
                "run-1",
                "issue_refund",
                {"amount_usd": 49},
                draft="Dear\x1b[2J customer\u202e",
                claims=[{"text": "paid twice", "evidence": "L-1"}],
                why="amount_usd 49 is above 20",
                schema=SCHEMA,
            ),
            {"agent": "desk"},
        )
        yield opened


def call(*arguments: str, input: str | None = None) -> Any:
    return CliRunner().invoke(app, ["approvals", *arguments], input=input)


def stored() -> list[dict[str, Any]]:
    with Store.open(Path(".goldspan/goldspan.duckdb")) as store:
        return store.rows("SELECT * FROM approvals")


def test_what_waits_is_listed_and_shown_without_control_characters(ledger: Ledger) -> None:
    listed = call("list")
    assert "issue_refund" in listed.stdout
    assert "nobody" not in listed.stdout
    shown = call("show", "ab").stdout
    assert "amount_usd 49 is above 20" in shown
    assert "paid twice  [L-1]" in shown
    assert "Dear�[2J customer�" in shown
    (told,) = json.loads(call("list", "--json").stdout)
    assert (told["id"], told["state"], told["arguments"]) == ("abc1", "asked", {"amount_usd": 49})
    assert call("list", "--decided").stdout == "nothing was decided yet\n"


def test_a_token_decides_what_was_shown_or_nothing(ledger: Ledger) -> None:
    token = json.loads(call("show", "abc1", "--as", "ana", "--json").stdout)["token"]
    Approvals(ledger).ask(Proposal("abc1", "run-1", "issue_refund", {"amount_usd": 4900}))
    changed = call("approve", "abc1", "--as", "ana", "--token", token)
    assert isinstance(changed.exception, InputError)
    assert "has changed since" in str(changed.exception)
    again = call("show", "abc1", "--as", "ana").stdout.rsplit(" ", 1)[-1].strip()
    done = call("approve", "abc1", "--as", "ana", "--token", again)
    assert done.stdout == "abc1 issue_refund: approved by ana\n"
    (row,) = stored()
    assert (row["decision"], row["reviewer"], row["status"]) == ("approve", "ana", "decided")
    assert unsent(ledger) == []


def test_a_denial_is_stored_with_its_reason(ledger: Ledger) -> None:
    assert call("deny", "abc1", "--as", "ana").exit_code == 2
    done = json.loads(
        call("deny", "abc1", "--as", "ana", "--because", "not twice", "--json").stdout
    )
    assert (done["state"], done["decision_reason"]) == ("denied", "not twice")
    assert stored()[0]["reason"] == "not twice"


@pytest.mark.parametrize(
    ("correction", "told"),
    [
        ("amount_usd: [", "is not YAML"),
        ("- 1", "must name the arguments"),
        ("1: 2", "must name the arguments"),
        ("amount_usd: much", "amount_usd: 'much' is not of type 'number'"),
        ("amount_usd: .nan", "no JSON"),
        ("{}", "names the arguments that it changes"),
    ],
)
def test_a_correction_that_cannot_be_is_one_line(
    ledger: Ledger, correction: str, told: str
) -> None:
    Path("fix.yaml").write_text(correction, encoding="utf-8")
    done = call("approve", "abc1", "--as", "ana", "--edit", "fix.yaml")
    assert isinstance(done.exception, InputError)
    assert told in str(done.exception)
    assert Approvals(ledger).find("abc1").state == "asked"


def test_a_correction_may_come_from_standard_input(ledger: Ledger) -> None:
    done = call("approve", "abc1", "--as", "ana", "--edit", "-", input='{"amount_usd": 5}')
    assert done.stdout == 'abc1 issue_refund: edited as {"amount_usd": 5} by ana\n'


def test_the_decision_stands_where_the_store_cannot_be_written(ledger: Ledger) -> None:
    Path(".goldspan/goldspan.duckdb").write_bytes(b"no database" * 500)
    done = call("approve", "abc1", "--as", "ana")
    assert done.exit_code == 0
    assert "the store has no event of it yet" in done.stderr
    assert Approvals(ledger).find("abc1").state == "approved"
    assert len(unsent(ledger)) == 2


def test_a_folder_without_durable_runs_is_said_and_gets_no_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOLDSPAN_ENGINE", raising=False)
    done = call("list")
    assert isinstance(done.exception, ConfigError)
    assert "no durable run was started here" in str(done.exception)
    assert list(tmp_path.iterdir()) == []


def test_sampled_calls_are_judged(ledger: Ledger) -> None:
    approvals = Approvals(ledger)
    approvals.let_go(Proposal("s1", "run-2", "send", {"to": "a"}), {}, sampled=True)
    assert "send" in call("review").stdout
    assert call("review", "s1").stdout.startswith("send")
    for wrong, told in (
        (("review", "s1", "--wrong"), "needs --as"),
        (("review", "s1", "--as", "ana", "--wrong"), "what was wrong"),
        (("review", "abc1", "--as", "ana", "--right"), "no call that waits to be looked at"),
    ):
        assert told in str(call(*wrong).exception)
    done = call("review", "s1", "--as", "ana", "--right")
    assert done.stdout == "s1 judged right by ana\n"
    assert call("review").stdout == "no call waits to be looked at\n"
    with Store.open(Path(".goldspan/goldspan.duckdb")) as store:
        (row,) = store.rows("SELECT * FROM escalations WHERE tool_name = 'send'")
    assert (row["sampled"], row["looked_at"], row["found_wrong"]) == (1, 1, 0)


def test_a_person_says_what_became_of_an_unknown_call(ledger: Ledger) -> None:
    assert "no run waits" in call("unknown").stdout
    runs = Runs(ledger)
    keys = []
    for number in (1, 2):
        intent = Intent.of(f"run-{number}", 0, "throw", {"n": number}, agent="desk")
        ledger.admit(intent)
        runs.begin_segment(f"run-{number}", "desk", "d", queue="q", batch=None)
        runs.park(f"run-{number}", f"unknown:{intent.key}", "nobody knows")
        keys.append(intent.key)
    assert "throw" in call("unknown").stdout
    Path("result.json").write_text('{"sent": 1}', encoding="utf-8")
    for wrong, told in (
        ((keys[0],), "give --as NAME"),
        ((keys[0], "--as", "ana", "--not-made", "--result", "result.json"), "has no result"),
        (("x", "--as", "ana", "--made"), "no run waits for such a call"),
    ):
        assert told in str(call("unknown", *wrong).exception)
    done = call("unknown", keys[0], "--as", "ana", "--made", "--result", "result.json")
    assert done.stdout == "throw was made: its run goes on\n"
    call("unknown", keys[1][:12], "--as", "ana", "--not-made")
    assert ledger.resolution(keys[0]) == {"result": {"sent": 1}}
    assert ledger.resolution(keys[1]) == {"made": False}
    assert {run for run, _ in runs.awaited(stale_s=60)} == {"run-1", "run-2"}
    with Store.open(Path(".goldspan/goldspan.duckdb")) as store:
        said = store.rows("SELECT * FROM events WHERE event_name = 'goldspan.call.resolved'")
    assert len(said) == 2
