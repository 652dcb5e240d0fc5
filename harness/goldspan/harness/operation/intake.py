"""What puts runs into the queue: files of tasks, schedules, and events that come in over HTTP.

All of them end as run specs with an id that is made of what they are, so the same file, the same
due time or the same event twice is one run.
"""

from __future__ import annotations

import hashlib
import json
import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.operation.task_contract import TaskContract, hold_to
from goldspan.harness.operation.tasks import Task
from goldspan.harness.run_events import event_id
from goldspan.harness.run_spec import RunSpec, queued_run_id
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, InputError
from goldspan.tracing.files import parse_yaml, read_text
from goldspan.tracing.validation import faults_of

NAME = r"^[A-Za-z0-9][A-Za-z0-9_-]*$"


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Asked(_Given):
    """The task of a schedule or a trigger: as in a queue file, without id and time."""

    input: str = Field(min_length=1)
    setup: dict[str, Any] = {}
    approver: Literal["approve", "deny", "edit", "none"] = "none"
    session: str | None = Field(default=None, min_length=1)
    contract: TaskContract = {}


class Schedule(_Given):
    """A fresh run at each time that a cron expression names. `agent` is a folder; `cron` has five
    fields, or six with seconds first."""

    name: str = Field(pattern=NAME)
    cron: str
    timezone: str = "UTC"
    agent: str
    task: Asked

    @field_validator("timezone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{value!r} is no time zone, such as Europe/Berlin") from None
        return value

    def spec(self, at: datetime) -> RunSpec:
        """The run that falls due at a time. Raises `ConfigError` where its agent cannot be
        loaded, or its task loosens the agent's contract."""
        stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        task = Task(id=f"{self.name}-{stamp}", now=at, **self.task.model_dump())
        return _spec(self.agent, task, batch=f"schedule-{self.name}")


class Trigger(_Given):
    """A run for each event that comes in. In the task's input and session `$field` is a field of
    the event's JSON object, `$event` all of it, `$$` a dollar sign."""

    name: str = Field(pattern=NAME)
    agent: str
    task: Asked

    def spec(self, event: Mapping[str, Any], *, key: str | None, at: datetime) -> RunSpec:
        """The run of an event. Without a `key` of the sender's, equal events are one run.

        Raises `InputError` where the event lacks a field that is named, or makes no task of it (an
        empty text), `ConfigError` where
        the agent cannot be loaded, or its task loosens the agent's contract.
        """
        text = _sorted(event)
        known = hashlib.sha256((key or text).encode("utf-8", "surrogatepass")).hexdigest()[:16]
        given = {"id": f"{self.name}-{known}", "now": at, **self.task.model_dump()}
        for name in ("input", "session"):
            if given[name] is not None:
                given[name] = filled_in(self.name, given[name], event)
        try:
            task = Task.model_validate(given)
        except ValidationError as error:
            first = faults_of(error, given, Task)[0]
            raise InputError(
                f"the event makes no task: {first.said('it')}", where=self.name
            ) from None
        return _spec(self.agent, task, batch=f"trigger-{self.name}")


def filled_in(name: str, template: str, event: Mapping[str, Any]) -> str:
    """A trigger's input with the fields of an event. Raises `InputError` for one that is not
    there. `name` is the trigger's."""
    fields = {field: _text(value) for field, value in event.items()}
    try:
        return string.Template(template).substitute({**fields, "event": _sorted(event)})
    except KeyError as error:
        raise InputError(f"the event has no field {error}", where=name) from None


def load_schedules(path: Path) -> list[Schedule]:
    """The schedules of a file, a list under `schedules:`. Raises `InputError` with file and
    line."""
    return _load(path, "schedules", Schedule)


def load_triggers(path: Path) -> list[Trigger]:
    """The triggers of a file, a list under `triggers:`. Raises `InputError` with file and line."""
    found = _load(path, "triggers", Trigger)
    for trigger in found:
        texts = (trigger.task.input, trigger.task.session or "")
        if not all(string.Template(text).is_valid() for text in texts):
            raise InputError(
                f"{trigger.name}: it has a $ that names no field",
                where=str(path),
                remedy="write $$ for a dollar sign",
            )
    return found


def tell_queued(ledger: Ledger, specs: list[RunSpec], source: str) -> None:
    """Write down for the trace that runs were asked for, and by what. Once a run."""
    with ledger.transaction() as tx:
        for spec in specs:
            about = {
                **spec.attributes,
                semconv.RUN_ID: spec.run_id,
                semconv.AGENT_NAME: spec.agent,
                semconv.AGENT_DIGEST: spec.digest,
                semconv.BATCH_ID: spec.batch,
                semconv.CONVERSATION_ID: spec.task.get("session"),
                semconv.RUN_SOURCE: source,
            }
            known = event_id(semconv.RUN_QUEUED, spec.run_id)
            put(tx, AuditEvent(known, semconv.RUN_QUEUED, ledger.clock(), about))


def _spec(agent: str, task: Task, *, batch: str) -> RunSpec:
    version = AgentVersion.load(Path(agent))
    hold_to(version.config.contract, task.contract, where=f"task {task.id}")
    return RunSpec(
        run_id=queued_run_id(batch, task.id),
        agent=version.name,
        folder=str(version.path.resolve()),
        digest=version.digest,
        task=task.model_dump(mode="json"),
        batch=batch,
    )


def _sorted(event: Mapping[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, sort_keys=True)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_Kind = TypeVar("_Kind", Schedule, Trigger)


def _load(path: Path, key: str, kind: type[_Kind]) -> list[_Kind]:
    loaded, tree = parse_yaml(read_text(path), path)
    rows = loaded.get(key) if isinstance(loaded, dict) else None
    if not isinstance(rows, list) or not rows:
        raise InputError(f"must have a list under {key}:", where=str(path))
    lines = list(_lines(tree, key))
    found: list[_Kind] = []
    for row, line in zip(rows, lines, strict=True):
        where = f"{path}:{line}"
        try:
            one = kind.model_validate(row)
        except ValidationError as error:
            first = faults_of(error, row, kind)[0]
            raise InputError(first.said(key), where=where, remedy=first.remedy) from None
        if any(one.name == other.name for other in found):
            raise InputError(f"{one.name!r} is there twice", where=where)
        folder = (path.parent / one.agent).resolve()
        if not folder.is_dir():
            raise ConfigError(
                f"agent: {folder} is no folder",
                where=where,
                remedy="name an agent's folder, from where this file lies",
            )
        found.append(one.model_copy(update={"agent": str(folder)}))
    return found


def _lines(tree: yaml.Node | None, key: str) -> Iterator[int]:
    """The line of each entry of the list under `key`, from 1."""
    assert isinstance(tree, yaml.MappingNode)
    for name, value in tree.value:
        if name.value == key:
            for node in value.value:
                yield node.start_mark.line + 1
