"""The sentences from 16:00 to 18:00: a meeting becomes action items, and the day's report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from goldspan.tracing import semconv
from tests.day.day import Day
from tests.day.morning import SILENT
from tests.day.says import says


@says("1600-notes")
def _(day: Day) -> None:
    (notes,) = day.calls("minutes", "read_notes")
    chosen = [each[semconv.DECISION_CHOSEN] for each in day.events(semconv.DECISION, "minutes")]
    assert chosen == ["read_notes", "answer", "file_items", "answer"]
    assert "Ana will rewrite" in notes["result"]


@says("1600-owed")
def _(day: Day) -> None:
    assert json.loads(day.row("minutes")["contract"])["required_artifacts"] == ["action items"]
    assert "Still owed: action items." in day.read_by_model("minutes", 2)
    assert "Still owed" not in day.read_by_model("minutes", 1)


@says("1600-items")
def _(day: Day) -> None:
    (notes,), (filed,) = day.calls("minutes", "read_notes"), day.calls("minutes", "file_items")
    lines = json.loads(notes["result"])["notes"]
    items = json.loads(filed["result"])["filed"]
    assert len(items) == 2
    for item in items:
        line = lines[item["evidence"]]
        assert all(item[field] in line for field in ("who", "what", "due"))


@says("1800-runs")
def _(day: Day) -> None:
    (total,) = day.report["totals"]
    assert total["runs"]["value"] == total["outcomes"]["completed"]["value"] == 7
    assert {line["run_id"] for line in day.report["runs"]} == set(day.said["runs"].values())


@says("1800-budget")
def _(day: Day) -> None:
    lines = {line["limit_name"]: line for line in day.report["budget"]}
    assert lines.keys() == {
        "tokens",
        "tool calls",
        "model calls",
        "cost as recorded",
        "wall-clock time",
    }
    for line in lines.values():
        assert line["runs"] == 7
        assert 0 < line["used"]["value"] < line["limit"]["value"]
        assert line["reached"]["value"] == 0


@says("1800-approvals")
def _(day: Day) -> None:
    (line,) = day.report["approvals"]
    assert (line["decision"], line["reviewer"]) == ("edit", "ana")
    assert json.loads(line["corrected"])["amount_usd"] == 120
    assert line["waited"]["value"] > 0


@says("1800-incidents")
def _(day: Day) -> None:
    found = {(line["kind"], line["tool"]) for line in day.report["incidents"]}
    assert found == {("breaker", "fetch_object")}
    failures = {line["what"]: line for line in day.report["failures"]}
    silent = failures["tool get_metadata"]
    assert (silent["how"], silent["times"]["value"]) == ("TimeoutError", 3)


@says("1800-artifacts")
def _(day: Day) -> None:
    listed = {line["name"]: line["sha256"] for line in day.report["artifacts"]}
    made = {
        e[semconv.ARTIFACT_NAME]: e[semconv.ARTIFACT_SHA256] for e in day.events(semconv.ARTIFACT)
    }
    assert listed == made
    assert listed.keys() == {"draft", "action items"}


@says("1800-next")
def _(day: Day) -> None:
    texts = [line["text"] for line in day.report["next_actions"]]
    assert texts == [f'fill in what is pending: get_metadata({{"doc":"restore.md"}}): {SILENT}']


@says("1800-linked")
def _(day: Day) -> None:
    report = day.report
    spans = {(row["trace_id"], row["span_id"]) for row in day.rows("SELECT * FROM spans")}
    parts = ("totals", "budget", "approvals", "incidents", "failures", "artifacts", "next_actions")
    for part in (*parts, "tools", "costs", "runs"):
        linked = list(_evidence(report[part]))
        assert len(linked) >= len(report[part])
        for evidence in linked:
            assert (evidence["trace_id"], evidence["span_id"]) in spans, (part, evidence)
            address = f"trace={evidence['trace_id']}&span={evidence['span_id']}"
            assert evidence["url"].endswith(address)
    for line in report["artifacts"]:
        (call,) = day.rows(
            "SELECT tool_name FROM tool_calls WHERE span_id = ?", line["trace"]["span_id"]
        )
        assert call["tool_name"] == line["kind"]


def _evidence(value: Any) -> Iterator[dict[str, Any]]:
    """Every link in a part of the report."""
    if isinstance(value, dict) and "url" in value:
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _evidence(item)
