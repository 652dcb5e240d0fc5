"""The walk through an incident names what stands out around a run, and only that."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from goldspan.cli import main
from goldspan.dashboards.incident import Incident, queries, render_markdown, steps, walk
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.promotion_log import record_promotion, send_promotions
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.run import run_agent
from goldspan.tracing import semconv
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.scripted import ScriptedModel, act, write_version

HOSTILE = "# <script>x</script> [free](http://evil.invalid)"
GOOD = [act("look", what="a"), act("answer", text="a is there")]
BAD = [act("look", what="b"), act("look", what="b"), act("look", what="b")]


class Renamed(ScriptedModel):
    """The same name, answered by other weights."""

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        answer = await super().answer(request)
        return ModelAnswer(**{**vars(answer), "response_model": "tiny-v2"})


def runs(
    home: Path,
    version: str,
    hour: datetime,
    count: int,
    model: type[ScriptedModel],
    texts: Sequence[str],
    task: str = "look",
) -> None:
    at = int(hour.timestamp() * 1e9)
    with instrument(store=home / "s.duckdb", clock=lambda: at) as telemetry:
        for number in range(count):
            run_id = f"{version}-{hour:%d%H}-{number}"
            asyncio.run(
                run_agent(
                    AgentFolder(home / "agents" / "keeper").version(version),
                    task,
                    model=model(texts),
                    recorder=telemetry.recorder,
                    workspace=home / "work" / run_id,
                    run_id=run_id,
                )
            )
        telemetry.deliver(remedy="none")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two quiet days on v1.0.0, then v1.1.0 on weights of another name, with failing tools."""
    home = tmp_path_factory.mktemp("incident")
    agent = home / "agents" / "keeper"
    write_version(agent / "v1.0.0")
    folder = write_version(agent / "v1.1.0", contract="{max_repeats: 1}")
    (folder / "system-prompt.md").write_text("You look at b.\n", encoding="utf-8")
    (agent / "current").write_text("v1.0.0\n", encoding="utf-8")
    start = datetime(2026, 11, 16, 8, tzinfo=UTC)
    runs(home, "v1.0.0", start, 3, ScriptedModel, GOOD)
    found = AgentFolder(agent)
    promoted = found.decided("promote", found.version("v1.1.0"), by="ann", because=HOSTILE)
    at = (start + timedelta(days=2)).isoformat(timespec="milliseconds")
    record_promotion(agent, type(promoted)(**{**vars(promoted), "time": at}))
    send_promotions(agent, home / "s.duckdb")
    runs(home, "v1.1.0", start + timedelta(days=2, hours=1), 2, Renamed, BAD, HOSTILE)
    return home


def walked(home: Path, run_id: str, monkeypatch: pytest.MonkeyPatch) -> Incident:
    monkeypatch.chdir(home)
    return walk(Store.open(home / "s.duckdb"), run_id, replays=home / "replays")


def test_every_cause_is_named_with_its_evidence(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = walked(home, "v1.1.0-1809-0", monkeypatch)
    by_id = {section.id: section for section in found.sections}
    assert list(by_id) == ["run", "replay", "tools", "before", "changes", "rollback"]
    assert "aborted because look was called 3 times" in by_id["run"].says
    assert by_id["replay"].state == "clear"
    assert by_id["tools"].says == "look fails in 100% of its calls, before 0%"
    assert by_id["tools"].facts[0].span_id is not None
    assert "this version and model had no runs" in by_id["before"].says
    changes = by_id["changes"].says
    assert "v1.1.0 is current since 2026-11-18 08:00:00" in changes
    assert "tiny is answered by tiny-v2 now, before by tiny" in changes
    assert "system-prompt" in str(by_id["changes"].facts)
    assert found.command == (
        f"goldspan agent rollback --agent agents/keeper --because 'incident {found.trace_id}'"
    )
    assert "to v1.0.0" in by_id["rollback"].says
    assert len(found.suspects) == 4


def test_a_quiet_run_has_nothing_that_stands_out(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = walked(home, "v1.0.0-1608-2", monkeypatch)
    assert found.suspects == []
    assert found.command is None
    assert "v1.1.0 is: nothing to take back" in found.sections[-1].says


def test_a_walk_is_an_event_on_the_trace(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = walked(home, "v1.1.0-1809-1", monkeypatch)
    (event,) = Store.open(home / "s.duckdb").rows(
        "SELECT attributes FROM events WHERE event_name = ? AND trace_id = ?",
        [semconv.INCIDENT_WALKED, found.trace_id],
    )
    told = json.loads(event["attributes"])
    assert told["goldspan.incident.suspects"] == ["run", "tools", "before", "changes"]


def test_markdown_links_to_spans_and_keeps_hostile_text_harmless(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = render_markdown(walked(home, "v1.1.0-1809-0", monkeypatch), "http://board:1")
    assert "<script>" not in text
    assert "](http://evil" not in text
    assert text.count("http://board:1/traces?trace=") >= 5
    assert "&span=" in text
    assert "$ goldspan agent rollback" in text


def test_the_command_walks_on_the_screen_as_markdown_and_as_json(
    home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(home)

    def goldspan(*arguments: str) -> int | str | None:
        monkeypatch.setattr(sys, "argv", ["goldspan", "incident", *arguments, "-s", "s.duckdb"])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code

    file = tmp_path / "incident.md"
    assert goldspan("v1.1.0-1809-0", "--no-replay", "--markdown", str(file)) == 0
    assert "Look at: aborted" in capfd.readouterr().out
    assert file.read_text(encoding="utf-8").startswith("# Incident: keeper v1.1.0")
    assert goldspan("v1.1.0-1809-0", "--no-replay", "--json") == 0
    told = json.loads(capfd.readouterr().out)
    assert told["sections"][1]["state"] == "unknown"
    assert goldspan("nothing") == 2


@pytest.mark.parametrize("name", queries.names())
def test_each_query_says_its_question_first(name: str) -> None:
    first = queries.sql(name).splitlines()[0]
    assert first.startswith("-- ")
    assert first.endswith("?")


def test_the_runbook_has_the_steps_of_the_walk(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = walked(home, "v1.0.0-1608-0", monkeypatch)
    page = (Path(__file__).parents[2] / "docs" / "runbook.md").read_text("utf-8")
    headings = re.findall(r"^## (\d)\. (.+)$", page, re.M)
    assert [int(number) for number, _ in headings] == list(range(1, len(found.sections) + 1))
    for (_, heading), section in zip(headings, found.sections, strict=True):
        words = heading.replace(", before", "").split()
        assert section.title.startswith(" ".join(words[:3])), heading


def test_a_tool_is_suspect_only_where_it_fails_more_than_before() -> None:
    def says(errors: int, calls: int, errors_before: int, calls_before: int) -> str:
        row = {"tool_name": "look", "error_types": "TimeoutError" if errors else None}
        counts = {"errors": errors, "calls": calls}
        before = {"errors_before": errors_before, "calls_before": calls_before}
        where = {"failed_trace": None, "failed_span": None}
        return steps.tools_section([{**row, **counts, **before, **where}], 60).state

    assert says(4, 10, 10, 100) == "suspect"
    assert says(3, 10, 10, 100) == "clear"  # three times as often
    assert says(2, 10, 0, 0) == "suspect"
    assert says(1, 1, 0, 100) == "clear"  # one failure is an accident
    assert says(0, 10, 0, 100) == "clear"


def test_a_walk_needs_no_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_version(tmp_path / "agents" / "keeper" / "v1.0.0")
    (tmp_path / "redaction.yaml").write_text("content: off\n", encoding="utf-8")
    runs(tmp_path, "v1.0.0", datetime(2026, 11, 16, 8, tzinfo=UTC), 1, ScriptedModel, BAD)
    found = walked(tmp_path, "v1.0.0-1608-0", monkeypatch)
    assert found.sections[1].says.startswith("it cannot be replayed")
    assert found.sections[2].state == "suspect"
    assert "not in the store" in found.sections[0].facts[0].text
