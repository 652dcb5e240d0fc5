"""The progress file of a session: what one run notes, the next is told; whole, and once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.life import Life
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import message_text
from goldspan.harness.operation.progress import HEAD, Note, ProgressFile
from goldspan.harness.operation.tasks import Task, Worker
from goldspan.harness.result import RunResult
from goldspan.harness.steps import Direct, Steps
from goldspan.tracing.errors import InputError, MeasurementError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store import Store
from tests.harness.approvals.test_runs import Recorded
from tests.harness.calling import Asked, CallingModel, write_library

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
NOTE: Asked = ("note_progress", {"done": ["read page 1"], "next": ["read page 2"]})
FIRST = "2026-11-21 12:00\n  done: read page 1\n  next: read page 2"


class Sessions:
    """Runs of one agent, of which some belong to a session."""

    def __init__(
        self,
        folder: Path,
        progress: dict[str, Any] | None,
        approvals: dict[str, Any] | None = None,
        **contract: Any,
    ) -> None:
        self.folder = folder
        more: dict[str, Any] = {"approvals": approvals or {}}
        more |= {} if progress is None else {"progress": progress}
        path = write_library(folder / "reader" / "v1", contract, **more)
        self.version = AgentVersion.load(path)
        self.ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}")
        self.model = CallingModel([])

    def run(
        self,
        *turns: Sequence[Asked] | str,
        name: str,
        session: str | None = "s-1",
        steps: Steps | None = None,
    ) -> RunResult:
        self.model = CallingModel(turns)
        with instrument(store=self.folder / "s.duckdb", service_name="test") as telemetry:
            worker = Worker(
                self.version,
                ModelGateway(Mode.LIVE, None, self.model),
                telemetry.recorder,
                Prices(),
                self.folder / "work",
            )
            task = Task(id=name, input=f"Read, {name}.", now=NOON, session=session)
            life = Life(self.ledger, steps or Direct(), 1)
            return asyncio.run(worker.run(task, run_id=name, life=life))

    def told(self) -> str:
        """What the model read first."""
        return message_text(self.model.requests[0].messages[0])

    @property
    def file(self) -> ProgressFile:
        return ProgressFile(self.folder / "work" / "sessions" / "reader" / "s-1")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return Store.open(self.folder / "s.duckdb").rows(sql)


def opened(folder: Path, progress: dict[str, Any] | None = None, **contract: Any) -> Sessions:
    contract = {"typical_tokens": 1000, **contract}
    return Sessions(folder, {} if progress is None else progress, **contract)


def test_a_run_is_told_what_the_one_before_noted(tmp_path: Path) -> None:
    sessions = opened(tmp_path)
    with closing(sessions.ledger):
        assert sessions.run([NOTE], "Page 1 is read.", name="one").outcome == "completed"
        assert sessions.told() == "Read, one."
        sessions.run("Page 2 too.", name="two")
        ended = "2026-11-21 12:00 (run completed)\n  done: "
        assert sessions.told() == f"Read, two.\n\n{HEAD}\n{FIRST}\n{ended}Page 1 is read."
        sessions.run("x", name="other", session="s-2")
        assert sessions.told() == "Read, other."
        sessions.run("x", name="alone", session=None)
        assert "note_progress" not in str(sessions.model.requests[0].tools)
    notes = sessions.file.read()
    assert [(note.run_id, note.outcome) for note in notes] == [
        ("one", None),
        ("one", "completed"),
        ("two", "completed"),
    ]
    runs = sessions.rows("SELECT DISTINCT run_id, session_id FROM spans ORDER BY run_id")
    found = {row["run_id"]: row["session_id"] for row in runs}
    assert found == {"one": "s-1", "two": "s-1", "other": "s-2", "alone": None}
    names = "SELECT run_id, count(*) AS n FROM events WHERE event_name = 'goldspan.progress.{}'"
    read = sessions.rows(f"{names.format('read')} GROUP BY 1 ORDER BY 1")
    assert [row["run_id"] for row in read] == ["one", "other", "two"]
    noted = sessions.rows(f"{names.format('noted')} GROUP BY 1 ORDER BY 1")
    assert noted[0] == {"run_id": "one", "n": 2}


def test_a_note_is_written_once_however_often_its_run_dies(tmp_path: Path) -> None:
    sessions = opened(tmp_path)
    with closing(sessions.ledger):
        sessions.run("before", name="zero")
        recorded: dict[int, Any] = {}
        with pytest.raises(IndexError):  # its model has nothing more to say: a fault, as any other
            sessions.run([NOTE], name="one", steps=Recorded(recorded))
        assert len(sessions.file.read()) == 2
        sessions.run([NOTE], "done", name="one", steps=Recorded(recorded))
    before = "2026-11-21 12:00 (run completed)\n  done: before"
    assert sessions.told() == f"Read, one.\n\n{HEAD}\n{before}"
    key = Intent.of("one", 0, *NOTE).key
    assert [one.key for one in sessions.file.read()] == ["zero:end", key, "one:end"]


def test_a_note_of_which_nobody_knows_is_asked_for_by_its_key(tmp_path: Path) -> None:
    """The process died when the file was written, and before the step was recorded."""
    sessions = opened(tmp_path)
    intent = Intent.of("one", 0, *NOTE, agent="reader", action_class="write")
    with closing(sessions.ledger):
        sessions.ledger.admit(intent)
        sessions.file.write(Note(key=intent.key, run_id="one", at=NOON, done=("read page 1",)))
        assert sessions.run([NOTE], "done", name="one").outcome == "completed"
    assert [note.key for note in sessions.file.read()] == [intent.key, "one:end"]
    asked = sessions.rows("SELECT 1 FROM events WHERE event_name = 'goldspan.call.recovered'")
    assert len(asked) == 1


def test_a_run_that_waits_or_has_failed_says_so(tmp_path: Path) -> None:
    sessions = opened(tmp_path, required_artifacts=["print"])
    with closing(sessions.ledger):
        assert sessions.run("done", "done", name="one").outcome == "failed"
        sessions.run([("print", {"n": 1})], "printed", name="two")
    assert "(run failed)\n  done: ended without print\n" in sessions.told()


def note(key: str) -> Note:
    return Note(key=key, run_id="r", at=NOON, done=(key,))


def test_several_may_write_and_the_newest_are_kept(tmp_path: Path) -> None:
    all_of_them = ProgressFile(tmp_path / "s", keep=40)  # a key that has gone is known no more
    with ThreadPoolExecutor(8) as pool:
        written = list(pool.map(all_of_them.write, [note(f"n{n // 2}") for n in range(80)]))
    assert sum(written) == 40
    file = ProgressFile(tmp_path / "s", keep=30)
    assert file.write(note("last"))
    assert len(file.read()) == 30
    assert not file.write(file.read()[-1])


def test_the_file_stays_whole_where_it_cannot_be_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ProgressFile(tmp_path)
    file.write(note("a"))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="No space left"):
        file.write(note("b"))
    assert [one.key for one in file.read()] == ["a"]


def test_a_file_that_is_none_fails_the_run_and_says_why(tmp_path: Path) -> None:
    sessions = opened(tmp_path)
    sessions.file.folder.mkdir(parents=True)
    sessions.file.path.write_text("[{]", encoding="utf-8")
    with (
        closing(sessions.ledger),
        pytest.raises(MeasurementError, match=r"progress\.json: is no progress file.*begins anew"),
    ):
        sessions.run("done", name="one")


def test_a_run_is_told_so_much_and_the_contract_says_whether_it_may_note(tmp_path: Path) -> None:
    sessions = opened(tmp_path, {"told_chars": 20}, allowed_tools=["read", "write", "print"])
    with closing(sessions.ledger):
        sessions.run("x" * 900, name="one")
        assert "note_progress" not in str(sessions.model.requests[0].tools)
        sessions.run("done", name="two")
    assert sessions.told() == f"Read, two.\n\n{HEAD}\n{'x' * 20}"
    (tmp_path / "b").mkdir()
    named = opened(tmp_path / "b", allowed_tools=["read", "note_progress"])
    with closing(named.ledger):
        named.run([NOTE], "done", name="one")
    assert json.loads(named.model.told()[0]) == {"noted": True}


@pytest.mark.parametrize("named", ["note_progress", "write"])
def test_a_dry_run_of_a_note_writes_none(tmp_path: Path, named: str) -> None:
    sessions = opened(tmp_path, dry_run=[named])
    with closing(sessions.ledger):
        assert sessions.run([NOTE], "done", name="one").outcome == "completed"
    told = json.loads(sessions.model.told()[0])
    assert told == {"dry_run": True, "would": {"note_progress": NOTE[1]}}
    assert [note.key for note in sessions.file.read()] == ["one:end"]


def test_an_approval_rule_may_name_the_note(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, {}, {"note_progress": {}}, typical_tokens=1000)
    with closing(sessions.ledger):
        waits = sessions.run([NOTE], "done", name="one")
        assert (waits.outcome, "note_progress" in str(waits.reason)) == ("paused", True)
        assert sessions.file.read() == []
        assert sessions.run("done", name="two", session=None).outcome == "completed"


def test_without_the_policy_a_session_is_only_a_name(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, None, typical_tokens=1000)
    with closing(sessions.ledger):
        sessions.run("done", name="one")
    assert not sessions.file.folder.exists()
    (row,) = sessions.rows("SELECT session_id FROM spans WHERE category = 'agent'")
    assert row == {"session_id": "s-1"}
