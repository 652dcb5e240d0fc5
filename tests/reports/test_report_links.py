"""What a report says leads to the very span that shows it, in whichever life of a run that is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from goldspan.dashboards.reports import make_report, render
from goldspan.dashboards.reports.model import Evidence, Report
from goldspan.tracing import semconv
from goldspan.tracing.instrument import instrument
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.store import Store

Spans = dict[str, tuple[str, str]]


def _first_life(recorder: Recorder, spans: Spans) -> None:
    with recorder.agent("keeper", run_id="r-1", version="v1") as agent:
        spans["first"] = (agent.trace_id, agent.span_id)
        for number in (1, 2):
            with recorder.tool("write", call_id=f"c{number}", arguments={}) as tool:
                tool.set_result({"wrote": number})
                spans[f"write {number}"] = (tool.trace_id, tool.span_id)
        with recorder.tool("write", call_id="c3", arguments={}) as tool:
            tool.fail("DiskFull")
        artifact = {semconv.ARTIFACT_NAME: "note", semconv.ARTIFACT_KIND: "write"}
        recorder.event(semconv.ARTIFACT, {**artifact, semconv.ARTIFACT_SHA256: "ab"})
        asked = {semconv.APPROVAL_ID: "a-1", semconv.APPROVAL_TOOL: "send"}
        recorder.event(semconv.APPROVAL_REQUESTED, asked)
        agent.set_outcome("paused", "send waits")
    edited = {semconv.APPROVAL_DECISION: "edit", semconv.APPROVAL_REVIEWER: "ana"}
    corrected = {semconv.APPROVAL_ARGUMENTS: '{"n": 2}', semconv.REASON: "one is too few"}
    recorder.event(semconv.APPROVAL_DECIDED, {**asked, **edited, **corrected})


def _second_life(recorder: Recorder, spans: Spans) -> None:
    with recorder.agent("keeper", run_id="r-1", version="v1") as agent:
        spans["second"] = (agent.trace_id, agent.span_id)
        with recorder.tool("write", call_id="c4", arguments={}) as tool:
            tool.set_result({"wrote": 4})
        made = {semconv.ARTIFACT_NAME: "letter", semconv.ARTIFACT_KIND: "mill"}
        recorder.event(semconv.ARTIFACT, made)
        agent.set_outcome("completed")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Spans, Callable[[str | None], Report]]:
    """Spans by name, and the report of the run or of the day."""
    path: Path = tmp_path_factory.mktemp("links") / "s.duckdb"
    spans: Spans = {}
    began = datetime.now(UTC)
    with instrument(store=path, service_name="test") as telemetry:
        _first_life(telemetry.recorder, spans)
        _second_life(telemetry.recorder, spans)
    store = Store.open(path, create=False)

    def report(run: str | None) -> Report:
        return make_report(store, run_id=run, since=None if run else began)

    return spans, report


def test_an_artifact_leads_to_the_call_that_made_it(
    told: tuple[Spans, Callable[[str | None], Report]],
) -> None:
    spans, report = told
    note, letter = report(None).artifacts
    assert (note.name, note.sha256, note.trace) == (
        "note",
        "ab",
        Evidence("r-1", *spans["write 2"]),
    )
    assert (letter.name, letter.trace) == ("letter", Evidence("r-1", *spans["second"]))


def test_a_claim_about_a_run_leads_to_the_agents_span(
    told: tuple[Spans, Callable[[str | None], Report]],
) -> None:
    spans, report = told
    (line,) = report(None).runs
    assert line.trace == Evidence("r-1", *spans["second"])
    (approval,) = report(None).approvals
    assert approval.trace == Evidence("r-1", *spans["first"])
    trace, span = spans["second"]
    assert f"/traces?trace={trace}&span={span}" in render(report(None), "md")


def test_a_correction_is_told_with_its_reason(
    told: tuple[Spans, Callable[[str | None], Report]],
) -> None:
    _, report = told
    (line,) = report(None).approvals
    assert (line.decision, line.reviewer, line.corrected) == ("edit", "ana", '{"n": 2}')
    assert line.because == "one is too few"
    for form in ("md", "html"):
        assert "one is too few" in render(report("r-1"), form)
    assert 'edit: {"n": 2}' in render(report(None), "md")
