"""The commands of docs/operation.md, as a person types them; and what they say when they cannot."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

import pytest

from goldspan.cli import main
from goldspan.harness.engine import EngineConfig
from goldspan.harness.operation.intake import load_schedules, load_triggers
from goldspan.harness.operation.trigger_endpoint import TriggerEndpoint
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.store import Store
from tests.operation.commands import asked, environment, run, working
from tests.served import post, serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
DEMO = Path(str(files("goldspan.harness.demo")))
TOKEN = "t" * 32
Typed: TypeAlias = Callable[..., tuple[str, str, int]]


def commands(section: str) -> list[list[str]]:
    """The commands of a section of the page, without `goldspan`."""
    text = PAGE.split(f"\n## {section}\n")[1].split("\n## ")[0]
    blocks = "".join(re.findall(r"```console\n(.*?)```", text, re.DOTALL))
    lines = [line for line in blocks.splitlines() if line.startswith("$ goldspan ")]
    return [shlex.split(line[2:], comments=True)[1:] for line in lines]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As the page has it: an agent, a queue, and a `goldspan` with recorded answers."""
    agent = tmp_path / "agents" / "support-desk"
    shutil.copytree(DEMO / "agents" / "support-desk" / "v1.0.0", agent / "v1.0.0")
    (agent / "current").write_text("v1.0.0\n", encoding="utf-8")
    shutil.copy(DEMO / "queue.yaml", tmp_path / "queue.yaml")
    return tmp_path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Typed:
    """Types a command in this process, which is quicker; returns its output and exit code."""

    def goldspan(*argv: object) -> tuple[str, str, int]:
        monkeypatch.setattr("sys.argv", ["goldspan", *map(str, argv)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return said.out, said.err, int(ended.value.code or 0)

    return goldspan


def test_the_night_as_the_page_has_it(
    folder: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    enqueue, work = commands("Put work in")
    look, stop, waiting, resume = commands("At 3 AM")
    env = environment(GOLDSPAN_PRICES=str(DEMO / "prices.yaml"))
    worker = (*work, "--cassette", DEMO / "cassettes" / "queue.jsonl.gz")
    # Nobody is there to work yet: everything is stopped before its first call.
    queued = json.loads(typed(*enqueue, "--seed", 2, "--json")[0])
    again = typed(*enqueue, "--seed", 2)[1]
    assert "10 runs of support-desk are in the queue, 10 were there already" in again
    assert "10 queued" in typed(*look)[0]
    assert typed(*stop)[0].startswith("stopped: agent:support-desk\n")
    run(folder, *worker, env=env)
    listed = json.loads(typed(*waiting, "--json")[0])
    assert listed["stopped"][0]["reason"] == "refunds go to the wrong customers"
    ids = {each["run_id"] for each in queued["runs"]}
    assert {each["run_id"] for each in listed["runs"]} == ids
    assert {(each["outcome"], each["state"]) for each in listed["runs"]} == {("killed", "waiting")}
    assert {each["whom"].partition(": ")[2] for each in listed["runs"]} == {
        "goldspan resume --agent support-desk"
    }
    assert "stopped: agent:support-desk" in typed(*waiting)[1]
    said = typed(*stop)[0].splitlines()
    assert said[0].startswith("agent:support-desk was stopped before")
    shown = PAGE.split("then what became of the runs:\n\n```\n")[1].split("```")[0].splitlines()
    assert said[1:] == shown[1:]
    assert "10 runs" in typed(*resume)[0]
    run(folder, *worker, env=env)
    after = {each["run_id"]: each for each in json.loads(typed(*look, "--json")[0])["runs"]}
    assert after.keys() == ids
    assert "killed" not in {each["outcome"] for each in after.values()}
    ended = {run_id for run_id, each in after.items() if each["state"] == "ended"}
    assert ended
    results = {path.stem: json.loads(path.read_text()) for path in (folder / "results").iterdir()}
    assert results.keys() == ended
    assert {r["batch"] for r in results.values()} == {"monday"}
    assert "support-desk" in typed("runs", next(iter(ended)))[0]
    _check_store(folder, ended)
    with closing(sqlite3.connect(folder / ".goldspan" / "goldspan.engine.db")) as database:
        redacted = "SELECT run_id FROM goldspan_runs WHERE state = 'ended' AND scrubbed = 1"
        assert {run_id for (run_id,) in database.execute(redacted)} == ended
    (prune,) = commands("What stays, and for how long")
    assert "0 ended runs removed" in typed(*prune)[0]
    pruned = json.loads(typed("prune", "--older-than", "2100-01-01", "--json")[0])
    assert pruned["engine"]["runs"] == len(ended)


def _check_store(folder: Path, ended: set[str]) -> None:
    store = Store.open(folder / ".goldspan" / "goldspan.duckdb")
    counts = {
        row["event_name"]: row["n"]
        for row in store.rows("SELECT event_name, count(*) AS n FROM events GROUP BY ALL")
    }
    assert counts["goldspan.kill"] == counts["goldspan.kill.lifted"] == 1
    assert counts["goldspan.run.queued"] == 10
    assert counts["goldspan.run.delivered"] == len(ended)
    first = store.rows(
        "SELECT run_id FROM llm_calls WHERE started_at < (SELECT observed_at FROM events"
        " WHERE event_name = 'goldspan.kill.lifted')"
    )
    assert first == [], "a call began while its agent was stopped"


def test_a_drill_needs_nothing_and_says_what_the_page_says(
    tmp_path: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (drill,) = commands("Practise it")
    said, _, code = typed(*drill)
    shown = re.findall(r"drill\n(drill passed\n.*?)```", PAGE, re.DOTALL)[0].splitlines()
    assert code == 0
    assert [re.sub(r"\d+ ms .*|\d+$", "", line) for line in said.splitlines()] == [
        re.sub(r"\d+ ms .*|\d+$", "", line) for line in shown
    ]
    store = Store.open(tmp_path / ".goldspan" / "goldspan.duckdb")
    (event,) = store.rows("SELECT * FROM events WHERE event_name = 'goldspan.drill'")
    result = json.loads(json.loads(event["attributes"])["goldspan.drill.result"])
    assert (result["runs"], result["resumed"], result["measured"]["late"]) == (3, 3, 0)
    assert {row["simulated"] for row in store.rows("SELECT simulated FROM runs")} == {True}


def test_a_drill_uses_the_worker_that_is_there(
    folder: Path, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with working(folder, "--cassette", DEMO / "cassettes" / "queue.jsonl.gz"):
        found = json.loads(typed("drill", "--runs", 2, "--json")[0])
    assert (found["passed"], found["runs"], found["resumed"], found["killed"]) == (True, 2, 2, 2)
    assert found["last_begun_ms"] < 1000
    (kill,) = Store.open(folder / ".goldspan" / "goldspan.duckdb").rows(
        "SELECT attributes FROM events WHERE event_name = 'goldspan.kill'"
    )
    assert "agent:goldspan-drill" in str(kill)


def test_an_http_event_is_one_run(folder: Path) -> None:
    _, block = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (folder / "triggers.yaml").write_text(block, encoding="utf-8")
    load_triggers(folder / "triggers.yaml")
    store = folder / "s.duckdb"
    event = json.dumps({"id": "T-401", "subject": "charged twice"}).encode()
    bearer = {"authorization": f"Bearer {TOKEN}"}
    options = ("--no-grpc", "--triggers", str(folder / "triggers.yaml"))
    with serving(store, *options, environment={"GOLDSPAN_TRIGGER_TOKEN": TOKEN}) as served:

        def send(
            body: bytes = event, name: str = "ticket", **headers: str
        ) -> tuple[int, dict[str, object]]:
            given = {**bearer, **{k.replace("_", "-"): v for k, v in headers.items()}}
            answer = post(served.url, f"/trigger/{name}", body, given)
            return answer.status, json.loads(answer.body)

        code, first = send()
        assert (code, first["new"]) == (202, True)
        assert send() == (202, {**first, "new": False})
        assert send(idempotency_key="k1")[1]["run_id"] != first["run_id"]
        assert send(b'{"id": "T-402"}')[0] == 400
        assert "has no field 'subject'" in str(send(b'{"id": "T-402"}')[1]["message"])
        assert [send(body)[0] for body in (b"", b"[1]", b"{", b'{"a":' * 99_999)] == [400] * 4
        assert send(b'"' + b"x" * 2**20)[0] == 413
        assert send(name="other")[0] == 404
        assert send(authorization=f"Bearer {TOKEN}x")[0] == 401
        assert send(authorization=TOKEN)[0] == 401
        listed = asked(folder, "runs", "--store", store)["runs"]
    assert {(each["state"], each["agent"], each["batch"]) for each in listed} == {
        ("queued", "support-desk", "trigger-ticket")
    }
    assert len(listed) == 2


def test_triggers_need_a_token_of_their_own(folder: Path) -> None:
    _, block = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (folder / "triggers.yaml").write_text(block, encoding="utf-8")
    with pytest.raises(ConfigError, match="--trigger-token: triggers need a token"):
        TriggerEndpoint(EngineConfig("sqlite://"), load_triggers(folder / "triggers.yaml"), "short")


def test_the_pages_schedules_are_schedules(folder: Path) -> None:
    block, _ = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (folder / "schedules.yaml").write_text(block, encoding="utf-8")
    (schedule,) = load_schedules(folder / "schedules.yaml")
    assert (schedule.name, schedule.timezone) == ("morning", "Europe/Berlin")


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        (["stop", "--all", "--because", "x"], "no durable run was started here"),
        (["runs", "--engine", "mysql://x"], "is neither sqlite"),
        (["stop", "--because", "x"], "give one of --all, --agent NAME, --run ID"),
        (["stop", "--all", "--run", "x", "--because", "x"], "give one of --all"),
        (["stop", "--all"], "Missing option '--because'"),
        (["resume"], "give one of --all"),
        (["worker", "--rate", "often"], "--rate: 'often' is no rate"),
        (["worker", "--rate", "5/0s"], "--rate: '5/0s' is no rate"),
        (["worker", "--deliver", "ftp://x"], "--deliver: 'ftp://x' is no place"),
        (["worker", "--schedules", "none.yaml"], "none.yaml: cannot be read"),
    ],
)
def test_wrong_use_is_one_line_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: Typed, argv: list[str], told: str
) -> None:
    monkeypatch.chdir(tmp_path)
    _, said, code = typed(*argv)
    assert code == 2
    assert said.startswith("error: ")
    assert told in said
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_page_names_every_event_of_operation() -> None:
    listed = set(re.findall(r"^\| `(goldspan\.[a-z_.]+)` \|", PAGE, re.MULTILINE))
    text = Path(semconv.__file__).read_text(encoding="utf-8").split("# -- ours: operation\n")[1]
    names = set(re.findall(r'Final = "(goldspan\.[a-z_.]+)"', text.split("\n# --")[0]))
    attributes = set(re.findall(r"`(goldspan\.[a-z_.]+)`", PAGE)) - listed
    assert listed | attributes >= names - {"goldspan.delivery.result"}
    assert listed <= names
