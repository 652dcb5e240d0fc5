"""What leaves for git, a channel or a foreign collector is redacted, also from an old store."""

from __future__ import annotations

import asyncio
import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version
from tests.planted_secrets import CORES, PLANTED, decoded, leaks
from tests.tracing.test_instrument import Receiver, receiver

from goldspan.dashboards.reports import FORMATS, write_reports
from goldspan.evals.baseline import Baseline
from goldspan.evals.monitors import check, emit_alerts, load_rules
from goldspan.evals.monitors.findings import DRIFT, Finding
from goldspan.evals.presentation import render_json, render_junit, render_markdown
from goldspan.evals.session import EvalOptions, EvalSession
from goldspan.evals.suite import load_suite
from goldspan.golden.promotion import case_from_trace
from goldspan.golden.writing import append_case
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.models.cassette import Cassette, Scope
from goldspan.harness.models.gateway import Mode, Model, ModelGateway
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.tracing.batch import IngestBatch
from goldspan.tracing.instrument import instrument
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.redaction import POLICY_ENV, Policy
from goldspan.tracing.redaction.policy_file import PolicySettings
from goldspan.tracing.store import Store

__all__ = ["receiver"]  # a fixture
SECRET = PLANTED["anthropic"][0]


def run_keeper(folder: Path, model: Model, task: str) -> RunResult:
    """A real run of the harness against a store in the folder."""
    home = folder / "keeper" / "v1.0.0"
    version = AgentVersion.load(home if home.exists() else write_version(home))
    with instrument(store=folder / "s.duckdb", service_name="test") as telemetry:
        return asyncio.run(
            run_agent(
                version,
                task,
                model=model,
                recorder=telemetry.recorder,
                workspace=folder / f"work-{len(list(folder.iterdir()))}",
                environment=Notebook(),
                run_id="run-1",  # seeds the notebook's luck
                approver=NamedApprover("approve"),
            )
        )


def test_reports_and_cases_of_a_store_from_before_there_was_a_policy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(Policy, "scrub_batch", lambda policy, batch: None)
        texts = [act("look", what=SECRET), act("answer", text=f"use {SECRET}")]
        result = run_keeper(tmp_path, ScriptedModel(texts), f"{SECRET} is my key")
    store = Store.open(tmp_path / "s.duckdb")
    assert SECRET in repr(store.rows("SELECT * FROM runs"))
    append_case(tmp_path / "cases.yaml", case_from_trace(store, result.trace_id))
    case = (tmp_path / "cases.yaml").read_text("utf-8")
    assert "[redacted:anthropic-key] is my key" in case
    assert SECRET[14:].lower() not in case.lower()
    for form in FORMATS:
        (file,) = write_reports(store, run_id=result.run_id, out=tmp_path / f"report.{form}")
        assert SECRET not in file.read_text("utf-8")


@pytest.mark.parametrize("name", ["tape.jsonl", "tape.jsonl.gz"])
def test_a_cassette_holds_no_secret_and_replays_what_the_recording_did(
    tmp_path: Path, name: str
) -> None:
    path = tmp_path / "tapes" / name
    scope = Scope("case", 0, 0, "agent")
    texts = [act("look", what=SECRET), act("answer", text=f"it is {SECRET}")]
    recording = ModelGateway(Mode.RECORD, Cassette.open(path, create=True), ScriptedModel(texts))
    recorded = run_keeper(tmp_path, recording.session(scope), "what is my key?")
    body = gzip.decompress(path.read_bytes()) if name.endswith("gz") else path.read_bytes()
    assert SECRET.encode() not in body
    assert body.count(b"[redacted:anthropic-key]") == 2
    replay = ModelGateway.make(Mode.REPLAY, cassette=path)
    again = run_keeper(tmp_path, replay.session(scope), "what is my key?")
    assert (again.outcome, again.answer) == (recorded.outcome, recorded.answer)
    assert again.answer == "it is [redacted:anthropic-key]"


def test_a_secret_that_the_user_gives_leaves_the_keys_of_a_cassette_as_they_are(
    tmp_path: Path,
) -> None:
    path = tmp_path / "tapes" / "tape.jsonl"
    scope = Scope("case", 0, 0, "agent")
    texts = [act("look", what="a"), act("answer", text="done")]
    recording = ModelGateway(Mode.RECORD, Cassette.open(path, create=True), ScriptedModel(texts))
    run_keeper(tmp_path, recording.session(scope), f"my key is {SECRET}")
    replay = ModelGateway.make(Mode.REPLAY, cassette=path)
    again = run_keeper(tmp_path, replay.session(scope), f"my key is {SECRET}")
    assert again.outcome == "completed"


def test_files_of_an_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "redaction_targets.py").write_text(
        f"def leaky(text): return {SECRET!r}\ndef crash(text): raise ValueError({SECRET!r})\n",
        encoding="utf-8",
    )
    cases = "".join(
        f"  - id: case-{i}\n    input: word{i}\n    expect: {{answer: {{regex: ['^sk-ant']}}}}\n"
        for i in range(4)
    )
    (tmp_path / "cases.yaml").write_text(f"cases:\n{cases}", encoding="utf-8")
    (tmp_path / "suite.yaml").write_text(
        "name: words\ncases: [cases.yaml]\nscorers: [outcome, answer]\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    base = tmp_path / "base.json"
    suite = load_suite(tmp_path / "suite.yaml")
    for target in ("leaky", "crash"):
        options = EvalOptions(
            store=tmp_path / "s" / "s.duckdb",
            target=f"redaction_targets:{target}",
            baseline=str(base) if base.exists() else None,
        )
        session = EvalSession(suite, options)
        result = session.run()
        for render in (render_json, render_junit, render_markdown):
            assert SECRET not in render(result.gate)
        if target == "leaky":
            assert "[redacted:anthropic-key]" in render_json(result.gate)
        session.save_baseline(result.experiment, base)
        assert SECRET not in base.read_text("utf-8")
        # A baseline from before there was a policy.
        old = Baseline.of(result.experiment).to_text()
        base.write_text(old.replace("[redacted:anthropic-key]", SECRET), encoding="utf-8")
    assert leaks(tmp_path / "s" / "s.duckdb") == []


def test_monitors_findings_and_alerts(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "s" / "s.duckdb")
    (tmp_path / "monitors.yaml").write_text("", encoding="utf-8")
    said = check(store, load_rules(tmp_path / "monitors.yaml"), agent=SECRET)
    assert {u.agent for u in said.unmeasured} == {"[redacted:anthropic-key]"}
    at = datetime(2026, 11, 1, tzinfo=UTC)
    finding = Finding(
        alert_id="a1", monitor=DRIFT, agent=SECRET, severity="warning", metric="m", unit="u",
        value=2, baseline=1, started_at=at, detected_at=at, ended_at=None, runs=3,
        false_alarm_days=365, explanation=f"since {SECRET}", simulated=False,
    )  # fmt: skip
    assert emit_alerts(store, [finding]) == 1
    assert leaks(store.path) == []


@pytest.mark.parametrize("content", ["on", "off"])
def test_what_goes_to_a_foreign_collector(receiver: Receiver, content: str) -> None:
    policy = Policy(PolicySettings.model_validate({"content": content}))
    with instrument(
        endpoint=receiver.url, redaction=policy, resource_attributes={"cmd": SECRET}
    ) as telemetry:
        for text, _ in PLANTED.values():
            ask(telemetry.recorder, text)
        assert telemetry.flush()
    batch = IngestBatch()
    for _, body in receiver.bodies:
        batch.extend(body)
    assert len(batch.spans) == 3 * len(PLANTED)
    assert len(batch.logs) == len(PLANTED)
    for record in (*batch.spans, *batch.logs):
        for view in decoded(repr(record).encode()):
            assert not [name for name, core in CORES.items() if core.encode() in view]
    calls = [s for s in batch.spans if s.attributes.get("gen_ai.operation.name") == "chat"]
    assert {c.attributes["gen_ai.request.model"] for c in calls} == {"m"}
    assert all(("gen_ai.input.messages" in c.attributes) == (content == "on") for c in calls)
    assert all(s.start_ns and s.end_ns and s.trace_id for s in batch.spans)


def test_the_environments_policy_is_for_collectors_too(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "policy.yaml"
    named.write_text("patterns: {own: [{name: word, regex: parcel}]}", encoding="utf-8")
    monkeypatch.setenv(POLICY_ENV, str(named))
    with instrument(endpoint=receiver.url, batch=False) as telemetry:
        telemetry.recorder.event("goldspan.decision", {"a": "the parcel"})
    assert receiver.bodies[0][1].logs[0].attributes["a"] == "the [redacted:word]"


def ask(recorder: Recorder, text: str) -> None:
    messages = [{"role": "user", "parts": [{"type": "text", "content": text}]}]
    with recorder.agent("a", run_id="r", input=text, attributes={f"k {text}": text}) as agent:
        with recorder.model_call(
            provider="openai", request_model="m", input_messages=messages, system=text
        ) as call:
            call.respond(output_messages=messages)
        with recorder.tool("t", arguments={"note": text}) as tool:
            tool.set_result(text)
            tool.span.record_exception(ValueError(text))
            tool.span.add_event(text, {"x": [text]})
            tool.fail("ValueError", text)
        recorder.event("goldspan.decision", {"x": text}, body={"y": [text.encode()]})
        agent.set_output(text)
