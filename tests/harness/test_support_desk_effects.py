"""The support desk's effects: each once, by the key of its call, and known after a crash."""

from __future__ import annotations

import json
import random
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.demo import effects
from goldspan.harness.demo.desk import SupportDesk
from goldspan.harness.tools import ToolContext

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)
TOOLS = {tool.name: tool for tool in SupportDesk().tools()}
PARTS = ("observations", "inferences", "unknowns", "requests")
# In an order in which each can be done.
CALLS: dict[str, dict[str, Any]] = {
    "post_note": {"ticket_id": "T-406", **{part: ["G-101 seen"] for part in PARTS}},
    "draft_reply": {
        "ticket_id": "T-401",
        "body": "INV-1102 was charged twice.",
        "claims": [{"text": "charged twice", "evidence": "L-5005"}],
        "risk": "none",
    },
    "send_reply": {"draft_id": "D-1"},
    "issue_refund": {"customer_id": "C-108", "invoice_id": "INV-1108", "amount_usd": 19},
    "ask_question": {"to": "finance", "question": "May we?"},
}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    SupportDesk().prepare(tmp_path / "run", {})
    return tmp_path / "run"


def use(workspace: Path, tool: str, key: str) -> Any:
    context = ToolContext(workspace, "run-1", random.Random(1), NOW, 0, key)
    return TOOLS[tool].run(context, TOOLS[tool].parse(CALLS[tool]))


def asked(workspace: Path, tool: str, key: str) -> Any:
    context = ToolContext(workspace, "run-1", random.Random(1), NOW, 0, key)
    ask = TOOLS[tool].ask
    assert ask is not None
    return ask(context, TOOLS[tool].parse(CALLS[tool]))


def world(workspace: Path) -> Any:
    """All there is: database and outbox."""
    with closing(sqlite3.connect(workspace / "operations.db")) as db:
        rows = list(db.iterdump())
    outbox = workspace / "outbox"
    return rows, {path.name: path.read_text() for path in sorted(outbox.iterdir())}


def test_every_tool_that_changes_something_can_be_asked() -> None:
    changing = {name for name, tool in TOOLS.items() if tool.action_class != "read"}
    assert changing == {name for name, tool in TOOLS.items() if tool.ask} == CALLS.keys()


def test_each_effect_is_done_once_and_known_by_its_key(workspace: Path) -> None:
    for name in CALLS:
        before = world(workspace)
        assert asked(workspace, name, f"k-{name}") is None
        assert world(workspace) == before
        made = use(workspace, name, f"k-{name}")
        after = world(workspace)
        assert after != before
        assert asked(workspace, name, f"k-{name}") == {"result": made}
        assert use(workspace, name, f"k-{name}") == made
        assert world(workspace) == after


@pytest.mark.parametrize("name", ["send_reply", "ask_question"])
def test_what_died_between_the_file_and_its_row_writes_the_same_file(
    workspace: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(workspace, "draft_reply", "k0")
    before, files = world(workspace)
    post = effects.post

    def dying(*given: Any) -> str:
        post(*given)
        raise KeyboardInterrupt

    monkeypatch.setattr(effects, "post", dying)
    with pytest.raises(KeyboardInterrupt):
        use(workspace, name, "k1")
    monkeypatch.undo()
    left = world(workspace)
    assert (left[0], files) == (before, {})
    assert len(left[1]) == 1
    assert asked(workspace, name, "k1") is None
    use(workspace, name, "k1")
    assert world(workspace)[1] == left[1]


def test_calls_without_a_key_are_each_their_own(workspace: Path) -> None:
    for _ in range(2):
        use(workspace, "ask_question", "")
    with closing(sqlite3.connect(workspace / "operations.db")) as db:
        rows = db.execute("SELECT key, tool, result FROM effects").fetchall()
    names = [json.loads(result)["id"] for _, _, result in rows]
    assert [(key, tool) for key, tool, _ in rows] == [(None, "ask_question")] * 2
    assert names == ["question-1", "question-2"]


def test_effects_are_no_part_of_the_end_state(workspace: Path) -> None:
    for name in CALLS:
        use(workspace, name, f"k-{name}")
    state = SupportDesk().end_state(workspace)
    assert set(state) == {"tickets", "notes", "drafts", "refunds", "outbox"}
    assert "k-" not in json.dumps(state)
