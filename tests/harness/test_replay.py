"""Recorded runs run again: what is the same is said to be, and what differs is named."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import Approver, NamedApprover
from goldspan.harness.models import protocol
from goldspan.harness.models.gateway import Model
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.operation.run_setup import setup_of
from goldspan.harness.replay import Replay, compare, read_recording, replay_trace
from goldspan.harness.replay.playback import Progress
from goldspan.harness.run import run_agent
from goldspan.harness.tools import Tool
from goldspan.tracing import semconv
from goldspan.tracing.errors import InputError, MeasurementError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version

LOOK = [act("look", what="a"), act("look", what="b"), act("answer", text="a is there")]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_version(tmp_path / "agents" / "keeper" / "v1.0.0")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(
    home: Path,
    model: Model,
    *,
    run_id: str = "run-1",
    task: str = "keep a note",
    approver: Approver | None = None,
    **more: Any,
) -> str:
    """One run in the store; returns its trace's id."""
    version = AgentVersion.load(home / "agents" / "keeper" / "v1.0.0")
    with instrument(store=home / "s.duckdb") as telemetry:
        with contextlib.suppress(MeasurementError):
            asyncio.run(
                run_agent(
                    version,
                    task,
                    model=model,
                    recorder=telemetry.recorder,
                    workspace=home / "work" / run_id,
                    run_id=run_id,
                    approver=approver,
                    **more,
                )
            )
        telemetry.deliver(remedy="none")
    return str(
        store(home).rows("SELECT trace_id FROM runs WHERE run_id = ?", [run_id])[0]["trace_id"]
    )


def store(home: Path) -> Store:
    return Store.open(home / "s.duckdb")


def again(home: Path, named: str = "run-1", **options: Any) -> Replay:
    return replay_trace(store(home), named, workspaces=home / "replays", **options)


def live(texts: Sequence[str]) -> Any:
    return lambda _configured: ScriptedModel(texts)


def test_a_run_is_the_same_on_its_own_version_and_asks_nobody(home: Path) -> None:
    trace = record(home, ScriptedModel(LOOK))
    found = again(home, trace)
    assert found.parting is None
    assert found.live_calls == 0
    assert [(s.tool, s.error_type) for s in found.replayed.steps] == [
        ("look", None),
        ("look", "NotFound"),
    ]
    assert found.replayed.answer == "a is there"
    assert found.replayed.steps[0].result == found.recorded.steps[0].result


def test_a_replay_is_simulated_traffic_and_an_event_in_its_own_trace(home: Path) -> None:
    trace = record(home, ScriptedModel(LOOK))
    found = again(home, trace[:12])
    (run,) = store(home).rows("SELECT * FROM runs WHERE run_id <> 'run-1'")
    assert run["simulated"]
    assert run["spent_usd"] in (None, 0)
    assert run["replayed_calls"] == 3
    (event,) = store(home).rows(
        "SELECT trace_id, attributes FROM events WHERE event_name = 'goldspan.replay.compared'"
    )
    assert event["trace_id"] == found.replayed.trace_id
    told = json.loads(event["attributes"])
    assert (told["goldspan.replay.of"], told["goldspan.replay.verdict"]) == (trace, "same")


def test_a_changed_request_is_named_where_nobody_is_to_be_asked(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(home, ScriptedModel(LOOK))
    monkeypatch.setattr(protocol, "_result", lambda name, text: f"{name} said {text}")
    parting = again(home).parting
    assert parting is not None
    assert (parting.step, parting.kind, parting.part) == (2, "request", "message 3")
    assert "Result of look" in parting.recorded
    assert "look said" in parting.replayed


def test_another_version_whose_requests_are_the_same_needs_no_model(home: Path) -> None:
    record(home, ScriptedModel(LOOK))
    write_version(home / "agents" / "keeper" / "v1.1.0", contract="{max_tool_calls: 1}")
    found = again(home, agent="v1.1.0", make_model=live([]))
    assert found.version.version == "v1.1.0"
    assert found.live_calls == 0
    assert found.parting is not None
    assert (found.parting.step, found.parting.kind) == (2, "call")
    assert "Stopped" in found.parting.replayed
    assert found.replayed.outcome == "aborted"


def test_another_prompt_asks_the_model_and_gets_the_recorded_results(home: Path) -> None:
    record(home, ScriptedModel(LOOK))
    folder = write_version(home / "agents" / "keeper" / "v1.1.0")
    (folder / "system-prompt.md").write_text("You look twice.\n", encoding="utf-8")
    found = again(
        home,
        agent="v1.1.0",
        make_model=live([LOOK[0], act("write", text="hello"), act("answer", text="done")]),
    )
    assert found.live_calls == 2
    assert found.parting is not None
    assert (found.parting.step, found.parting.kind) == (2, "call")
    assert found.parting.recorded.startswith('look("what": "b")')
    assert found.parting.replayed.startswith('write("text": "hello")')
    assert found.replayed.steps[0].result == found.recorded.steps[0].result
    assert not (home / "replays" / str(found.replayed.run_id) / "note-0.txt").exists()


def test_a_call_that_was_not_recorded_gets_no_invented_result(home: Path) -> None:
    record(home, ScriptedModel([LOOK[0], act("answer", text="a")]))
    texts = [act("look", what="b"), act("answer", text="b")]
    found = again(home, model_name="other", make_model=live(texts))
    assert found.replayed.steps[0].error_type == "NotRecorded"
    assert found.parting is not None
    assert found.parting.step == 1


def test_live_tools_read_anew_and_do_not_write(home: Path) -> None:
    texts = [act("look", what="a"), act("write", text="hi"), act("answer", text="done")]
    record(home, ScriptedModel(texts), approver=NamedApprover("approve"))
    same = again(home, live="reads")
    assert same.parting is None
    folder = home / "replays" / str(same.replayed.run_id)
    assert list(folder.iterdir()) == []
    acted = again(home, live="all", setup={"seen.txt": "x"})
    folder = home / "replays" / str(acted.replayed.run_id)
    assert sorted(p.name for p in folder.iterdir()) == ["note-1.txt", "seen.txt"] or sorted(
        p.name for p in folder.iterdir()
    ) == ["note-0.txt", "seen.txt"]


def test_live_tools_begin_with_the_world_of_the_recorded_run(home: Path) -> None:
    texts = [act("look", what="a"), act("answer", text="done")]
    secret = "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    world = {"seen.txt": "as it was", "key.txt": secret}
    record(home, ScriptedModel(texts), setup=world)
    found = again(home, live="reads")
    folder = home / "replays" / str(found.replayed.run_id)
    assert sorted(path.name for path in folder.iterdir()) == ["key.txt", "seen.txt"]
    assert (folder / "seen.txt").read_text() == "as it was"
    assert "wJalrXUtnFEMI" not in (folder / "key.txt").read_text()
    other = again(home, live="reads", setup={})
    folder = home / "replays" / str(other.replayed.run_id)
    assert list(folder.iterdir()) == []
    none = again(home)
    folder = home / "replays" / str(none.replayed.run_id)
    assert list(folder.iterdir()) == []


def test_a_setup_that_is_too_long_is_not_kept_and_said_to_be_missing(home: Path) -> None:
    texts = [act("look", what="a"), act("answer", text="done")]
    record(home, ScriptedModel(texts), setup={"long.txt": "ä" * 8200})
    (span,) = store(home).rows("SELECT attributes FROM spans WHERE category = 'agent'")
    kept = json.loads(span["attributes"])
    assert kept[semconv.RUN_SETUP_BYTES] == 16_415
    assert semconv.RUN_SETUP not in kept
    assert again(home).parting is None
    with pytest.raises(MeasurementError, match="16415 bytes is too long") as refused:
        again(home, live="reads")
    assert "--setup FILE" in str(refused.value)
    assert again(home, live="reads", setup={"long.txt": "a"}).parting is None


def test_a_setup_is_content(home: Path) -> None:
    version = AgentVersion.load(home / "agents" / "keeper" / "v1.0.0")
    with instrument(store=home / "s.duckdb", capture_content=False) as telemetry:
        asyncio.run(
            run_agent(
                version,
                "keep a note",
                model=ScriptedModel([act("answer", text="done")]),
                recorder=telemetry.recorder,
                workspace=home / "work",
                setup={"seen.txt": "as it was"},
            )
        )
    (span,) = store(home).rows("SELECT * FROM spans WHERE category = 'agent'")
    assert "as it was" not in json.dumps(span, default=str)


@pytest.mark.parametrize("text", ["[1]", '{"a": ', "null"])
def test_a_setup_that_cannot_be_read_is_not_made_up(text: str) -> None:
    assert setup_of(text, None) == ({}, "its setup cannot be read: it was cut, or redacted")


def test_a_live_result_that_differs_is_the_parting(home: Path) -> None:
    record(home, ScriptedModel(LOOK), tool_scope="another scope")
    parting = again(home, live="reads").parting  # its luck is drawn from another seed
    assert parting is not None
    assert (parting.step, parting.kind) == (1, "result")


@pytest.mark.parametrize(
    ("approver", "steps"),
    [
        (NamedApprover("none"), [("write", "AwaitingApproval")]),
        (NamedApprover("deny"), [("write", "Denied")]),
        (NamedApprover("approve"), [("write", None)]),
        (NamedApprover("edit", {"text": "better"}), [("write", None)]),
    ],
)
def test_people_decide_as_they_did(
    home: Path, approver: NamedApprover, steps: list[tuple[str, str | None]]
) -> None:
    record(
        home, ScriptedModel([act("write", text="hi"), act("answer", text="ok")]), approver=approver
    )
    found = again(home)
    assert found.parting is None
    assert [(s.tool, s.error_type) for s in found.replayed.steps] == steps
    if approver.kind == "edit":
        assert found.replayed.steps[0].arguments == {"text": "better"}


def test_what_the_guards_refuse_is_a_step(home: Path) -> None:
    record(home, ScriptedModel([act("fly"), act("look", what="a"), act("answer", text="ok")]))
    found = again(home)
    assert found.parting is None
    assert [(s.tool, s.error_type) for s in found.recorded.steps] == [
        ("fly", "Denied"),
        ("look", None),
    ]


class Silent:
    async def answer(self, request: ModelRequest) -> ModelAnswer:
        raise MeasurementError("the model did not answer: 503")


def test_a_recorded_outage_is_the_same_and_a_live_one_is_no_difference(home: Path) -> None:
    record(home, Silent())
    found = again(home)
    assert found.parting is None
    assert found.replayed.outcome == "failed"
    record(home, ScriptedModel(LOOK), run_id="run-2")
    with pytest.raises(MeasurementError, match="503"):
        again(home, "run-2", model_name="other", make_model=lambda _: Silent())


def test_what_was_redacted_is_compared_redacted(home: Path) -> None:
    (home / "redaction.yaml").write_text("patterns:\n  personal: on\n", encoding="utf-8")
    texts = [act("write", text="for ann@example.com"), act("answer", text="to ann@example.com")]
    record(
        home, ScriptedModel(texts), task="write ann@example.com", approver=NamedApprover("approve")
    )
    found = again(home)
    assert "ann@" not in found.recorded.task
    assert found.parting is None


class Native:
    """Native calls, two in one turn."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        calls: list[dict[str, Any]] = [
            {"type": "tool_call", "name": "look", "arguments": {"what": what}} for what in "ab"
        ]
        done = [{"type": "text", "content": "both seen"}]
        parts = calls if len(request.messages) == 1 else done
        return ModelAnswer({"role": "assistant", "parts": parts}, finish_reason="stop")


def test_native_calls_of_one_turn_are_replayed_in_order(home: Path) -> None:
    folder = home / "agents" / "keeper" / "v1.0.0"
    config = (folder / "config.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(config.replace("json", "native"), encoding="utf-8")
    record(home, Native())
    found = again(home)
    assert found.parting is None
    assert [s.call_id for s in found.replayed.steps] == ["call_1", "call_2"]


class Teller(Notebook):
    """Its `look` gives a text that is JSON by chance."""

    def tools(self) -> Sequence[Tool]:
        look, write = super().tools()
        return (replace(look, run=lambda context, _: f"{context.call}5"), write)


@pytest.mark.parametrize("mode", ["json", "native"])
def test_the_same_call_gets_its_own_results_to_the_letter(home: Path, mode: str) -> None:
    config = home / "agents" / "keeper" / "v1.0.0" / "config.yaml"
    text = config.read_text(encoding="utf-8").replace("json", mode)
    text = text.replace("tests.harness.scripted:Notebook", "tests.harness.test_replay:Teller")
    config.write_text(text, encoding="utf-8")
    record(home, ScriptedModel([LOOK[0], LOOK[0], LOOK[2]]) if mode == "json" else Native())
    found = again(home)
    assert found.parting is None
    assert [step.result for step in found.replayed.steps] == ["05", "15"]


def test_a_run_without_an_end_is_compared_as_far_as_it_went(home: Path) -> None:
    record(home, ScriptedModel(LOOK))
    whole = read_recording(store(home), "run-1")
    killed = replace(whole, outcome="killed", answer=None, steps=whole.steps[:1])
    assert compare(killed, whole, Progress()) is None
    assert compare(replace(killed, outcome="failed"), whole, Progress()) is not None
    other = compare(whole, replace(whole, answer="b is there"), Progress())
    assert other is not None
    assert (other.step, other.kind, other.replayed) == (3, "end", "answered: b is there")


def test_calls_of_an_agent_within_are_not_the_runs_own(home: Path) -> None:
    with instrument(store=home / "s.duckdb") as telemetry:
        recorder = telemetry.recorder
        with recorder.agent("outer", run_id="outer", input="do it") as span:
            with recorder.tool("ask", call_id="call_1", arguments={}) as asked:
                inner = recorder.agent("inner", run_id="inner", input="help")
                with inner, recorder.tool("look", call_id="call_1", arguments={"what": "a"}):
                    pass
                asked.set_result("ok")
            span.set_outcome("completed")
        telemetry.deliver(remedy="none")
    found = read_recording(store(home), span.trace_id)
    assert (found.run_id, found.task) == ("outer", "do it")
    assert [s.tool for s in found.steps] == ["ask"]
    assert read_recording(store(home), "inner").task == "help"


def test_what_cannot_be_replayed_says_why(home: Path) -> None:
    with pytest.raises(InputError, match="no traces yet"):
        again(home, "nothing")
    record(home, ScriptedModel(LOOK))
    record(home, ScriptedModel(LOOK), run_id="run-2")
    with pytest.raises(InputError, match="2 runs begin with it"):
        again(home, "run")
    with pytest.raises(InputError, match="the newest are"):
        again(home, "nothing")
    prompt = home / "agents" / "keeper" / "v1.0.0" / "system-prompt.md"
    prompt.write_text("Changed.\n", encoding="utf-8")
    with pytest.raises(MeasurementError, match="no version of the digest"):
        again(home)
    (home / "redaction.yaml").write_text("content: off\n", encoding="utf-8")
    record(home, ScriptedModel(LOOK), run_id="dark")
    with pytest.raises(MeasurementError, match="input is not in the store"):
        again(home, "dark")
