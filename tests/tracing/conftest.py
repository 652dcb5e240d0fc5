"""Builders of records and OTLP bodies, and a fresh store."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from goldspan.tracing.batch import LogRecord, SpanEvent, SpanRecord
from goldspan.tracing.store import Store

START_NS = 1_790_000_000 * 10**9
TRACE = "a" * 32

SpanMaker = Callable[..., SpanRecord]
LogMaker = Callable[..., LogRecord]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "goldspan.duckdb")


@pytest.fixture
def make_span() -> SpanMaker:
    numbers = itertools.count(1)

    def make(
        attributes: dict[str, Any] | None = None,
        *,
        span_id: str | None = None,
        trace_id: str = TRACE,
        parent: str | None = None,
        name: str = "chat m",
        status: str = "unset",
        message: str = "",
        start_ns: int = START_NS,
        ended: bool = True,
        events: list[SpanEvent] | None = None,
        resource: dict[str, Any] | None = None,
        scope: str = "test",
    ) -> SpanRecord:
        return SpanRecord(
            trace_id=trace_id,
            span_id=span_id or f"{next(numbers):016x}",
            parent_span_id=parent,
            name=name,
            kind="client",
            start_ns=start_ns,
            end_ns=start_ns + 250_000_000 if ended else None,
            status=status,
            status_message=message,
            attributes=attributes or {},
            events=events or [],
            links=[],
            resource=resource or {"service.name": "svc"},
            scope_name=scope,
            scope_version="1",
        )

    return make


@pytest.fixture
def make_log() -> LogMaker:
    def make(
        name: str,
        attributes: dict[str, Any] | None = None,
        *,
        trace_id: str | None = None,
        span_id: str | None = None,
        time_ns: int = START_NS,
        body: Any = None,
        resource: dict[str, Any] | None = None,
    ) -> LogRecord:
        return LogRecord(
            event_name=name,
            time_ns=time_ns,
            trace_id=trace_id,
            span_id=span_id,
            severity="INFO",
            body=body,
            attributes=attributes or {},
            resource=resource or {"service.name": "svc"},
            scope_name="test",
            scope_version="1",
        )

    return make
