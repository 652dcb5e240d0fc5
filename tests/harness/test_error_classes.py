"""Errors in classes: of the standard library, of HTTP clients, of pydantic-ai, of tools."""

from __future__ import annotations

import socket
import urllib.error
from email.message import Message
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_ai.exceptions import (
    ModelConnectionError,
    ModelHTTPError,
    ModelRateLimitError,
    ModelTimeoutError,
)

from goldspan.harness.failure.error_classes import UnknownOutcomeError, classify
from goldspan.harness.guards import OutputRejected, Verdict
from goldspan.harness.tools import ToolError
from goldspan.tracing.errors import MeasurementError


class Response:
    def __init__(self, status_code: int, **headers: str) -> None:
        self.status_code = status_code
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class HTTPStatusError(Exception):
    """As httpx and requests have it."""

    def __init__(self, status: int, **headers: str) -> None:
        super().__init__(f"status {status}")
        self.response = Response(status, **headers)


class ReadTimeout(Exception):
    pass


class ConnectTimeout(ReadTimeout):
    pass


def http(code: int) -> Exception:
    return urllib.error.HTTPError("http://x", code, "no", Message(), None)


def caused(cause: Exception) -> MeasurementError:
    error = MeasurementError("the model did not answer")
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "read", "effect"),
    [
        (TimeoutError(), "retry", "unknown"),
        (ConnectionResetError(), "retry", "unknown"),
        (ConnectionRefusedError(), "retry", "retry"),
        (socket.gaierror("no such host"), "retry", "retry"),
        (ReadTimeout(), "retry", "unknown"),
        (ConnectTimeout(), "retry", "retry"),
        (HTTPStatusError(429), "retry", "retry"),
        (HTTPStatusError(425), "retry", "retry"),
        (HTTPStatusError(408), "retry", "unknown"),
        (HTTPStatusError(503), "retry", "unknown"),
        (http(500), "retry", "unknown"),
        (HTTPStatusError(404), "never", "never"),
        (http(401), "never", "never"),
        (HTTPStatusError(501), "never", "unknown"),
        (KeyError("x"), "never", "unknown"),
        (ToolError("x"), "never", "never"),
        (ToolError("x", retryable=True), "retry", "retry"),
        (ToolError("x", error_type="ReadTimeout", retryable=True), "retry", "unknown"),
        (ToolError("x", error_type="TimedOut", retryable=True), "retry", "unknown"),
        (UnknownOutcomeError("x"), "unknown", "unknown"),
        (ModelHTTPError(529, "m"), "retry", "unknown"),
        (ModelHTTPError(400, "m"), "never", "never"),
        (ModelRateLimitError("m", "slow down"), "retry", "retry"),
        (ModelConnectionError("m", "reset"), "retry", "unknown"),
        (ModelTimeoutError("m", "late"), "retry", "unknown"),
        (MeasurementError("no recorded answer"), "never", "never"),
        (caused(ModelHTTPError(503, "m")), "retry", "unknown"),
        (caused(ModelHTTPError(404, "m")), "never", "never"),
    ],
    ids=repr,
)
def test_an_error_has_a_class(error: Exception, read: str, effect: str) -> None:
    assert classify(error, effect=False).kind == read
    assert classify(error, effect=True).kind == effect


@pytest.mark.parametrize(
    ("error", "outage"),
    [
        (ToolError("no such ticket"), False),
        (HTTPStatusError(404), False),
        (MeasurementError("no recorded answer"), False),
        (HTTPStatusError(401), True),
        (HTTPStatusError(500), True),
        (ToolError("x", retryable=True), True),
        (OutputRejected(Verdict("outputs", "deny"), retryable=False), True),
        (KeyError("x"), True),
    ],
    ids=repr,
)
def test_only_what_is_the_tools_fault_counts_against_it(error: Exception, outage: bool) -> None:
    assert classify(error, effect=False).outage is outage


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7),
        ("0.5", 0.5),
        ("-3", 0),
        ("Thu, 01 Jan 1970 00:01:40 GMT", 40),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_the_wait_that_a_server_asks_for(text: str, seconds: float | None) -> None:
    error = HTTPStatusError(429, retry_after=text)
    assert classify(error, effect=False, clock=lambda: 60.0).after_s == seconds


@given(
    st.integers(-1, 700) | st.none() | st.booleans() | st.text(max_size=5),
    st.text(max_size=40) | st.none(),
    st.booleans(),
)
def test_no_error_is_without_a_class(status: Any, after: str | None, effect: bool) -> None:
    error = HTTPStatusError(0)
    error.response.status_code = status
    if after is not None:
        error.response.headers["retry-after"] = after
    found = classify(error, effect=effect)
    assert found.after_s is None or 0 <= found.after_s < float("inf")
    if effect and found.kind == "retry":
        assert status in (425, 429)
