"""What the engine says: heard where standard error is now, and not what is no news."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator

import pytest
from dbos import error as dbos_error

from goldspan.harness.engine.log import speak_plainly


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    log = logging.getLogger("dbos")
    before = log.handlers[:], log.filters[:], log.propagate
    log.handlers.clear()
    log.filters.clear()
    log.propagate = True  # or pytest hangs a handler of its own on it, once this is set up
    yield log
    log.handlers[:], log.filters[:], log.propagate = before


def test_the_stream_of_its_start_may_be_gone(
    log: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stderr", first)
    speak_plainly()
    first.close()
    monkeypatch.setattr("sys.stderr", second)
    log.error("the database is away")
    assert second.getvalue().endswith("ERROR the database is away\n")


def test_a_run_that_waits_is_no_news(log: logging.Logger, monkeypatch: pytest.MonkeyPatch) -> None:
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    speak_plainly()
    try:
        raise dbos_error.DBOSAwaitedWorkflowCancelledError("run-1")
    except dbos_error.DBOSException:
        log.exception("a run was cancelled")
    assert said.getvalue() == ""
