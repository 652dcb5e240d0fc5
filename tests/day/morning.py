"""The sentences from 08:30 to 09:20: intake, a silent service, a draft, a worker that dies."""

from __future__ import annotations

import json
import signal

from goldspan.harness.operation.tasks import load_tasks
from goldspan.tracing import semconv
from tests.day import office
from tests.day.day import Day
from tests.day.says import says

SILENT = "no answer within 0.2 s"


@says("0830-queue")
def _(day: Day) -> None:
    tasks = [task.id for task in load_tasks(day.folder / "morning.yaml")]
    assert len(tasks) == 2
    for task in tasks:
        (queued,) = day.events(semconv.RUN_QUEUED, task)
        assert (queued["batch_id"], queued[semconv.RUN_SOURCE]) == ("tuesday", "file")


@says("0830-twice")
def _(day: Day) -> None:
    first, second = day.said["morning"]
    assert first == second
    queued = [event["run_id"] for event in day.events(semconv.RUN_QUEUED)]
    assert [queued.count(each["run_id"]) for each in first["runs"]] == [1, 1]


@says("0830-contract")
def _(day: Day) -> None:
    for task in day.said["runs"]:
        contract = json.loads(day.row(task)["contract"])
        assert min(contract["max_tokens"], contract["max_tool_calls"]) > 0
        assert min(contract["max_usd"], contract["max_seconds"]) > 0
        own = day.rows(
            "SELECT event_name, observed_at FROM events WHERE run_id = ? AND trace_id IS NOT NULL"
            " ORDER BY observed_at LIMIT 1",
            day.run(task),
        )
        assert own[0]["event_name"] == semconv.RUN_CONTRACT
        assert own[0]["observed_at"] < day.asked_model(task)[0]["started_at"]
    owed = json.loads(day.row("guide")["contract"])["required_artifacts"]
    assert owed == ["draft"]


@says("0830-delivered")
def _(day: Day) -> None:
    results = {
        path.stem: json.loads(path.read_text()) for path in (day.folder / "results").iterdir()
    }
    assert results.keys() == set(day.said["runs"].values())
    for task, run_id in day.said["runs"].items():
        assert results[run_id]["answer"] == day.row(task)["output"]


@says("0900-asked")
def _(day: Day) -> None:
    first, *_ = day.rows(
        "SELECT tool_name, arguments FROM tool_calls WHERE run_id = ? ORDER BY started_at",
        day.run("guide"),
    )
    assert first == {"tool_name": "get_metadata", "arguments": '{"doc":"restore.md"}'}


@says("0900-timeout")
def _(day: Day) -> None:
    for call in day.calls("guide", "get_metadata"):
        assert (call["error_type"], call["error_message"]) == ("TimeoutError", SILENT)
        assert call["result"] is None
        assert call["duration_ms"] > 190


@says("0900-retry")
def _(day: Day) -> None:
    assert len(day.calls("guide", "get_metadata")) == 3
    failures = [each for each in day.events(semconv.CALL_FAILED, "guide") if _silent(each)]
    assert [each[semconv.RUN_ATTEMPT] for each in failures] == [1, 2, 3]
    first, second = (each[semconv.RETRY_WAIT_MS] for each in failures[:2])
    assert 0 <= first <= 50
    assert 0 <= second <= 100
    assert first != second


@says("0900-failure")
def _(day: Day) -> None:
    failures = [each for each in day.events(semconv.CALL_FAILED, "guide") if _silent(each)]
    assert {each[semconv.REASON] for each in failures} == {SILENT}
    assert [semconv.RETRY_AT in each for each in failures] == [True, True, False]
    near = [(each[semconv.BREAKER_FAILURES], each[semconv.BREAKER_THRESHOLD]) for each in failures]
    assert near == [(1, 10), (2, 10), (3, 10)]


@says("0900-pending")
def _(day: Day) -> None:
    (pending,) = day.events(semconv.PART_PENDING, "guide")
    assert (pending[semconv.TOOL_NAME], pending[semconv.REASON]) == ("get_metadata", SILENT)
    assert day.calls("guide", "search_docs")[0]["started_at"] > pending["observed_at"]


@says("0900-told")
def _(day: Day) -> None:
    told = day.read_by_model("guide", 1)
    assert '"pending":true' in told
    assert "say in your answer that this part is pending, and make nothing up" in told


@says("0910-anchors")
def _(day: Day) -> None:
    (search,) = day.calls("guide", "search_docs")
    found = {each["anchor"]: each["text"] for each in json.loads(search["result"])["passages"]}
    assert found.items() <= office.passages(day.folder).items()
    (draft,) = office.effects(day.folder, "draft")
    for claim in draft["claims"]:
        assert claim["text"].split()[-1].strip(".") in found[claim["evidence"]]


@says("0910-refused")
def _(day: Day) -> None:
    refused = day.calls("guide", "save_draft")[0]
    assert (refused["error_type"], refused["result"]) == ("UnknownEvidence", None)
    assert "restore.md#9" in refused["arguments"]
    assert "restore.md#9" not in json.dumps(office.effects(day.folder, "draft"))
    assert "restore.md#9 is no passage" in day.read_by_model("guide", 3)


@says("0920-checkpoint")
def _(day: Day) -> None:
    steps = ["prepare", "model", "tool:get_metadata", "model", "tool:search_docs"]
    assert day.said["checkpoints"] == [*steps, "model", "tool:save_draft", "model"]


@says("0920-killed")
def _(day: Day) -> None:
    assert day.said["exit code"] == -signal.SIGKILL
    assert len(day.said["held"]) == 1
    # The second call of save_draft had begun, and nothing of it stood in the run's record.
    assert day.said["checkpoints"].count("tool:save_draft") == 1
    assert '"restore.md#2"' in json.dumps(day.said["held"])


@says("0920-taken-over")
def _(day: Day) -> None:
    (resumed,) = day.events(semconv.RUN_RESUMED, "guide")
    assert resumed[semconv.RUN_SEGMENT] == 2
    assert resumed["observed_at"] > day.said["killed at"]
    (second,) = day.rows(
        "SELECT links, resource FROM spans WHERE trace_id = ? AND category = 'agent'",
        resumed["trace_id"],
    )
    (first,) = day.rows(
        "SELECT DISTINCT trace_id, resource FROM spans WHERE run_id = ? AND trace_id <> ?",
        day.run("guide"),
        resumed["trace_id"],
    )
    assert first["trace_id"] in second["links"]
    instances = [json.loads(each["resource"])["service.instance.id"] for each in (first, second)]
    assert instances[0] != instances[1]


@says("0920-asked")
def _(day: Day) -> None:
    (recovered,) = day.events(semconv.CALL_RECOVERED, "guide")
    assert recovered[semconv.TOOL_NAME] == "save_draft"
    assert recovered[semconv.CALL_RECOVERY] == "asked"
    last = day.calls("guide", "save_draft")[-1]
    assert json.loads(last["result"]) == {"saved": "Restoring a backup", "claims": 2}
    (span,) = day.rows("SELECT attributes FROM spans WHERE span_id = ?", last["span_id"])
    assert json.loads(span["attributes"])[semconv.CALL_KEY] == recovered[semconv.CALL_KEY]


@says("0920-once")
def _(day: Day) -> None:
    assert office.effects(day.folder, "draft") == day.said["held"]


@says("0920-paid-once")
def _(day: Day) -> None:
    asked = day.asked_model("guide")
    assert len(asked) == len({call["input_messages"] for call in asked}) == 5
    assert [call["trace_id"] == asked[0]["trace_id"] for call in asked] == [True] * 4 + [False]


@says("0920-ended")
def _(day: Day) -> None:
    row = day.row("guide")
    assert row["outcome"] == "completed"
    assert [made["name"] for made in json.loads(row["artifacts"])] == ["draft"]
    assert row["output"].endswith(f'\n\nPending:\n- get_metadata({{"doc":"restore.md"}}): {SILENT}')


def _silent(failure: dict[str, object]) -> bool:
    return failure[semconv.TOOL_NAME] == "get_metadata"
