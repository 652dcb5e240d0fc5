"""Reads from the store what a report is about; all its reads see one state of the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from goldspan.dashboards.reports.model import Kind
from goldspan.tracing.errors import ConfigError, InputError
from goldspan.tracing.sql_files import sql_text
from goldspan.tracing.store import Store

Row = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """What a report is about: one run, one batch, or the runs that started in a period."""

    kind: Kind
    run: str | None = None
    batch: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    day: date | None = None

    @classmethod
    def of(
        cls,
        *,
        run_id: str | None = None,
        batch: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        day: date | None = None,
    ) -> Scope:
        """Exactly one of run, batch, since and day (of UTC), else ConfigError."""
        asked = (("run", run_id), ("batch", batch), ("since", since), ("day", day))
        given = [name for name, value in asked if value]
        if len(given) != 1:
            raise ConfigError("give exactly one of RUN_ID, --batch, --since and --day")
        if until is not None and since is None:
            raise ConfigError("--until needs --since")
        if day is not None:
            since = datetime.combine(day, time.min, UTC)
            until = since + timedelta(days=1)
        since, until = _aware(since), _aware(until)
        if since and until and until <= since:
            raise ConfigError("the period is empty", where="--until", remedy="end it after --since")
        kinds: dict[str, Kind] = {
            "run": "run",
            "batch": "batch",
            "since": "period",
            "day": "period",
        }
        return cls(kinds[given[0]], run_id, batch, since, until, day)


@dataclass(frozen=True)
class Rows:
    """The store's rows that a report is built from. `known_traces` are the traces that it has,
    each with the span that stands for it."""

    runs: list[Row]
    model_calls: list[Row] = field(default_factory=list)
    tool_calls: list[Row] = field(default_factory=list)
    tool_failures: list[Row] = field(default_factory=list)
    approvals: list[Row] = field(default_factory=list)
    incidents: list[Row] = field(default_factory=list)
    artifacts: list[Row] = field(default_factory=list)
    outside: list[Row] = field(default_factory=list)
    experiments: list[Row] = field(default_factory=list)
    alerts: list[Row] = field(default_factory=list)
    known_traces: Mapping[str, str] = field(default_factory=dict)


def question(name: str) -> str:
    """The SQL of `queries/<name>.sql`."""
    return sql_text("goldspan.dashboards.reports.queries", name)


def read(store: Store, scope: Scope) -> tuple[Scope, Rows]:
    """The rows of a report, and its scope with the run's id in full.

    Raises InputError when there is no such run or batch, when a prefix fits several runs, or when
    nothing happened in the period.
    """
    with store.session():
        if scope.run is not None:
            scope = Scope("run", run=_whole_id(store, scope.run))
        asked = {"run": scope.run, "batch": scope.batch, "since": scope.since, "until": scope.until}
        names = (
            *("runs", "model_calls", "tool_calls", "tool_failures"),
            *("approvals", "incidents", "artifacts", "traces_outside"),
        )
        found = {name: store.rows(question(name), asked) for name in names}
        period = {"since": scope.since, "until": scope.until}
        judged = store.rows(question("experiments"), period) if scope.kind == "period" else []
        alerts = store.rows(question("alerts"), period) if scope.kind == "period" else []
        if not any([*found.values(), judged, alerts]):
            _nothing(store, scope)
        mentioned = {
            row["trace_id"] for rows in found.values() for row in rows if row.get("trace_id")
        }
        mentioned |= {t for row in alerts for t in trace_ids(row["trace_ids"])}
        mentioned |= {row["failed_trace_id"] for row in judged if row["failed_trace_id"]}
        known = store.rows(question("known_traces"), {"traces": sorted(mentioned)})
    return scope, Rows(
        runs=found["runs"],
        model_calls=found["model_calls"],
        tool_calls=found["tool_calls"],
        tool_failures=found["tool_failures"],
        approvals=found["approvals"],
        incidents=found["incidents"],
        artifacts=found["artifacts"],
        outside=found["traces_outside"],
        experiments=judged,
        alerts=alerts,
        known_traces={row["trace_id"]: row["span_id"] for row in known},
    )


def trace_ids(value: str | None) -> list[str]:
    """The trace ids that an alert names, from the JSON text of its attribute."""
    try:
        found = json.loads(value or "[]")
    except ValueError:
        return []
    return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []


def _aware(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _whole_id(store: Store, given: str) -> str:
    fitting = [row["run_id"] for row in store.rows(question("named_runs"), {"prefix": given})]
    if given in fitting:
        return given
    if len(fitting) == 1:
        return str(fitting[0])
    if fitting:
        shown = ", ".join(fitting[:5]) + (", …" if len(fitting) > 5 else "")
        raise InputError(
            f"{len(fitting) if len(fitting) < 6 else 'more than 5'} runs begin with it: {shown}",
            where=f"run {given}",
            remedy="give more of the id",
        )
    raise InputError("there is no such run", where=f"run {given}", remedy=_newest(store, "runs"))


def _nothing(store: Store, scope: Scope) -> None:
    if scope.kind == "batch":
        raise InputError(
            "there is no such batch",
            where=f"batch {scope.batch}",
            remedy=_newest(store, "batches"),
        )
    until = f" until {scope.until:%Y-%m-%d %H:%M} UTC" if scope.until else ""
    raise InputError(
        f"nothing is stored since {scope.since:%Y-%m-%d %H:%M} UTC{until}",
        where=str(store.path),
        remedy=_newest(store, "runs"),
    )


def _newest(store: Store, what: str) -> str:
    ids = [str(row["id"]) for row in store.rows(question(f"newest_{what}"))]
    if not ids:
        return f"the store has no {what} yet"
    return f"the newest {what}: {', '.join(ids)}"
