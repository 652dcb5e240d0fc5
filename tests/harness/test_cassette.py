"""Cassettes: what is recorded is replayed, and what is missing is named."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from goldspan.harness.models.cassette import Cassette, Scope
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, Written, text_message
from goldspan.tracing.errors import ConfigError, InputError, MeasurementError
from tests.harness.scripted import ScriptedModel

SCOPE = Scope("case", 1, 0, "agent")
REQUEST = ModelRequest("local", "tiny", "be brief", [text_message("user", "hello")], {"seed": 1})


def ask(gateway: ModelGateway, scope: Scope, *requests: ModelRequest) -> list[ModelAnswer]:
    async def all_of() -> list[ModelAnswer]:
        session = gateway.session(scope)
        return [await session.answer(request) for request in requests]

    return asyncio.run(all_of())


@pytest.mark.parametrize("name", ["tape.jsonl", "tape.jsonl.gz"])
def test_the_same_request_again_has_an_answer_of_its_own(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    model = ScriptedModel(["first", "second"])
    recording = ModelGateway(Mode.RECORD, Cassette.open(path, create=True), model)
    recorded = ask(recording, SCOPE, REQUEST, REQUEST)
    replayed = ask(ModelGateway.make(Mode.REPLAY, cassette=path), SCOPE, REQUEST, REQUEST)
    assert [a.message for a in replayed] == [a.message for a in recorded]
    assert [a.input_tokens for a in replayed] == [10, 10]
    assert all(a.replayed for a in replayed)
    assert len(model.requests) == 2


def test_an_interrupted_recording_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    path = tmp_path / "tape.jsonl"
    other = replace(REQUEST, system="be long")
    ask(
        ModelGateway(Mode.RECORD, Cassette.open(path, create=True), ScriptedModel(["a"])),
        SCOPE,
        REQUEST,
    )
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole + whole[:40], encoding="utf-8")  # killed while it wrote
    model = ScriptedModel(["b"])
    again = ModelGateway(Mode.RECORD, Cassette.open(path, create=True), model)
    ask(again, SCOPE, REQUEST, other)
    assert len(model.requests) == 1
    assert len(Cassette.open(path)) == 2


def test_the_key_leaves_out_the_sampling_seed_and_nothing_else() -> None:
    assert replace(REQUEST, settings={"seed": 2}).digest() == REQUEST.digest()
    for other in (
        replace(REQUEST, model="other"),
        replace(REQUEST, system="x"),
        replace(REQUEST, settings={"temperature": 1}),
        replace(REQUEST, messages=[text_message("user", "hello!")]),
        replace(REQUEST, output_schema={"type": "object"}),
        replace(REQUEST, tools=[{"name": "t"}]),
    ):
        assert other.digest() != REQUEST.digest()


def test_a_conversation_that_is_written_out_as_it_grows_has_the_same_keys() -> None:
    written, messages = Written(), [text_message("user", "héllo")]
    for turn in range(4):
        messages = [*messages, text_message("assistant", f"{turn}")]
        if turn == 2:  # compacted: another message in the same place
            messages[1] = text_message("assistant", "short")
        request = replace(REQUEST, messages=messages)
        body: dict[str, object] = {
            "model": REQUEST.model,
            "system": REQUEST.system,
            "messages": messages,
            "settings": {},
            "tools": [],
            "output_schema": None,
        }
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        assert request.digest(written) == hashlib.sha256(text.encode()).hexdigest()
        assert request.numbered(1, 2).digest() == replace(request).digest()


@pytest.mark.parametrize(
    ("scope", "why"),
    [
        (replace(SCOPE, case="other"), "nothing was recorded for this case"),
        (replace(SCOPE, agent="new"), "the agent version differs"),
        (replace(SCOPE, repeat=4), "this repeat or seed was not recorded"),
    ],
)
def test_a_missing_answer_says_what_and_why(tmp_path: Path, scope: Scope, why: str) -> None:
    path = tmp_path / "tape.jsonl"
    tape = Cassette.open(path, create=True)
    ask(ModelGateway(Mode.RECORD, tape, ScriptedModel(["a"])), SCOPE, REQUEST)
    with pytest.raises(MeasurementError, match=why) as caught:
        ask(ModelGateway.make(Mode.REPLAY, cassette=path), scope, REQUEST)
    assert f"case {scope.case}, repeat {scope.repeat}" in str(caught.value)
    changed = replace(REQUEST, messages=[text_message("user", "bye")])
    with pytest.raises(MeasurementError, match=r"model call 1, .*the conversation differs"):
        ask(ModelGateway.make(Mode.REPLAY, cassette=path), SCOPE, changed)


def test_a_replay_writes_nothing_into_its_cassette(tmp_path: Path) -> None:
    path = tmp_path / "tape.jsonl"
    recording = ModelGateway(Mode.RECORD, Cassette.open(path, create=True), ScriptedModel(["a"]))
    ask(recording, SCOPE, REQUEST)
    killed = path.read_text("utf-8") + '{"case":"case","rep'
    path.write_text(killed, encoding="utf-8")
    assert len(Cassette.open(path)) == 1
    assert path.read_text("utf-8") == killed


@pytest.mark.parametrize("create", [False, True])
def test_a_file_of_somebody_else_stays_as_it_is(tmp_path: Path, create: bool) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("one line, no newline", encoding="utf-8")
    with pytest.raises(InputError, match=r"notes\.txt:1"):
        Cassette.open(path, create=create)
    assert path.read_text("utf-8") == "one line, no newline"


def test_what_is_no_cassette(tmp_path: Path) -> None:
    path = tmp_path / "tape.jsonl"
    with pytest.raises(InputError, match="no such cassette"):
        Cassette.open(path)
    path.write_text('{"case": "x"}\n{}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"tape.jsonl:1: not a line of a cassette"):
        Cassette.open(path)
    gz = tmp_path / "tape.jsonl.gz"
    gz.write_bytes(b"not gzip")
    with pytest.raises(InputError, match="not a cassette"):
        Cassette.open(gz)
    with pytest.raises(ConfigError, match="--replay needs a cassette"):
        ModelGateway.make(Mode.REPLAY)
