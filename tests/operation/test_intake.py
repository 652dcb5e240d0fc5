"""Schedules and triggers: files that are read with care, and runs that are asked for once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.intake import filled_in, load_schedules, load_triggers, tell_queued
from goldspan.harness.operation.outbox import unsent
from goldspan.tracing.errors import GoldspanError, InputError
from tests.chaos.world import write_post_office

AT = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
SCHEDULES = """\
schedules:
  - name: morning
    cron: 0 7 * * 1-5
    timezone: Europe/Berlin
    agent: poster/v1.0.0
    task: {input: send 1, setup: {a: 1}}
"""
TRIGGERS = """\
triggers:
  - name: ticket
    agent: poster/v1.0.0
    task: {input: "send $number for $$1 ($event)"}
"""


def written(folder: Path, text: str) -> Path:
    if not (folder / "poster").exists():
        write_post_office(folder / "poster" / "v1.0.0")
    path = folder / "given.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_due_time_is_one_run_and_another_is_another(tmp_path: Path) -> None:
    (schedule,) = load_schedules(written(tmp_path, SCHEDULES))
    spec = schedule.spec(AT)
    assert schedule.spec(AT.astimezone()).run_id == spec.run_id
    assert schedule.spec(AT.replace(hour=8)).run_id != spec.run_id
    assert (spec.agent, spec.batch) == ("poster", "schedule-morning")
    assert spec.task["id"] == "morning-20261121T070000Z"
    assert (spec.task["input"], spec.task["setup"], spec.task["now"]) == (
        "send 1",
        {"a": 1},
        "2026-11-21T07:00:00Z",
    )


def test_an_event_is_one_run_by_its_key_or_its_content(tmp_path: Path) -> None:
    (trigger,) = load_triggers(written(tmp_path, TRIGGERS))
    event = {"number": 7, "b": [1]}
    spec = trigger.spec(event, key=None, at=AT)
    assert spec.task["input"] == 'send 7 for $1 ({"b": [1], "number": 7})'
    assert trigger.spec({"b": [1], "number": 7}, key=None, at=AT).run_id == spec.run_id
    assert trigger.spec({"number": 8}, key=None, at=AT).run_id != spec.run_id
    keyed = {trigger.spec({"number": n}, key="k1", at=AT).run_id for n in range(2)}
    assert len(keyed | {spec.run_id}) == 2
    with pytest.raises(InputError, match="ticket: the event has no field 'number'"):
        trigger.spec({}, key=None, at=AT)


@given(
    event=st.dictionaries(
        st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=4)
    ),
    subject=st.text(),
)
def test_what_an_event_says_is_text_and_nothing_else(
    event: dict[str, object], subject: str
) -> None:
    """A `$` or a brace in a value stays what it is."""
    told = filled_in("a", "about $subject.", {**event, "subject": subject})
    assert told == f"about {subject}."


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("schedules: 3", r"given\.yaml: must have a list under schedules"),
        ("- 1", "must have a list under schedules"),
        ("schedules: [", r"given\.yaml:1: is not YAML"),
        (SCHEDULES + SCHEDULES.split("\n", 1)[1], r"given\.yaml:7: 'morning' is there twice"),
        (
            SCHEDULES.replace("cron: 0 7 * * 1-5", "every: day"),
            r"given\.yaml:2: every: unknown key",
        ),
        (SCHEDULES.replace("Berlin", "Atlantis"), r"given\.yaml:2: timezone: .*no time zone"),
        (SCHEDULES.replace("poster/", "nobody/"), r"given\.yaml:2: agent: .*is no folder"),
        (SCHEDULES.replace("morning", "a b"), "name: is 'a b', which does not"),
        (SCHEDULES.replace("input: send 1", "input: ''"), "task.input: is empty"),
    ],
)
def test_a_bad_file_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(GoldspanError, match=told):
        load_schedules(written(tmp_path, text))


def test_a_trigger_that_can_never_be_filled_in_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\$ that names no field"):
        load_triggers(written(tmp_path, TRIGGERS.replace("$$1", "$1")))


def test_what_asked_for_a_run_is_told_once(tmp_path: Path, ledger: Ledger) -> None:
    (schedule,) = load_schedules(written(tmp_path, SCHEDULES))
    for _ in range(2):
        tell_queued(ledger, [schedule.spec(AT)], "schedule:morning")
    (event,) = unsent(ledger)
    assert event.name == "goldspan.run.queued"
    assert event.attributes["goldspan.run.source"] == "schedule:morning"
    assert event.attributes["goldspan.run.id"] == schedule.spec(AT).run_id
