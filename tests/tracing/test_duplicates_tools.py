"""Which spans state the same execution of a tool."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tracing.claims import ambiguous, claim, duplicates, tool

from goldspan.tracing.duplicates import Claim


def test_client_and_server_of_one_mcp_call_are_one_execution() -> None:
    caller = tool("e", scope="framework", ms=(0, 100), tool_name="mcp__weather__look", has_input=1)
    client = tool("c", "e", kind="client", scope="mcp", ms=(5, 95))
    server = tool("s", "c", kind="server", scope="mcp", ms=(500, 580))
    assert duplicates(client, server) == {"c": ("s", "nested")}
    assert duplicates(caller, client, server) == {"c": ("e", "nested"), "s": ("e", "nested")}
    beside = tool("s", "p", kind="server", scope="mcp", ms=(10, 90))
    client.parent_span_id = "p"
    assert duplicates(client, beside) == {"s": ("c", "time")}
    server.parent_span_id = "remote"
    assert duplicates(client, server) == {}


@pytest.mark.parametrize(
    ("outer", "inner", "same"),
    [
        ({}, {"scope": "sdk"}, True),
        ({}, {"scope": "framework"}, False),
        ({}, {"scope": "framework", "kind": "client"}, True),
        ({"tool_call_id": "1"}, {"scope": "framework", "tool_call_id": "1"}, True),
        ({"tool_call_id": "1"}, {"scope": "sdk", "tool_call_id": "2"}, False),
        ({"tool_name": "other"}, {"scope": "sdk"}, False),
        ({"tool_name": "s__look"}, {"scope": "sdk"}, False),
        ({"tool_name": "s__look"}, {"scope": "sdk", "kind": "client"}, True),
        ({"tool_name": "overlook"}, {"scope": "sdk", "kind": "client"}, False),
        ({"replayed": True}, {"scope": "sdk"}, False),
        ({}, {"scope": "sdk", "ms": (200, 300)}, False),
    ],
)
def test_a_tool_inside_a_tool(outer: dict[str, Any], inner: dict[str, Any], same: bool) -> None:
    one = tool("a", **({"scope": "framework"} | outer))
    assert len(duplicates(one, tool("b", "a", **({"ms": (10, 90)} | inner)))) == int(same)


def test_a_tool_that_asks_a_model_that_asks_for_the_tool_is_two_executions() -> None:
    outer, inner = tool("a", scope="framework"), tool("c", "b", ms=(10, 90))
    for between in ("llm", "agent"):
        assert not duplicates(outer, claim("b", "a", scope="z", category=between), inner)
    assert duplicates(outer, claim("b", "a", scope="z", category=None), inner)


def test_parallel_executions_of_one_tool() -> None:
    def four() -> list[Claim]:
        return [
            tool(scope + number, "p", scope=scope, ms=ms)
            for number in "12"
            for scope, ms in (("a", (0, 100)), ("b", (10, 90)))
        ]

    assert duplicates(*four()) == {}
    assert ambiguous(*four()) == {"a1", "b1", "a2", "b2"}
    named = four()
    for span in named:
        span.tool_call_id = span.span_id[1]
    assert duplicates(*named) == {"b1": ("a1", "tool_call_id"), "b2": ("a2", "tool_call_id")}


def test_a_server_asked_twice_by_one_execution_is_two_executions() -> None:
    found = duplicates(
        tool("e", scope="framework", ms=(0, 100)),
        tool("c1", "e", scope="mcp", kind="client", ms=(1, 20), error_type="E"),
        tool("c2", "e", scope="mcp", kind="client", ms=(21, 50)),
    )
    assert found == {"e": ("c2", "nested")}
    found = duplicates(
        tool("e", scope="framework", ms=(0, 100)),
        tool("c1", "e", scope="mcp", kind="client", ms=(1, 20)),
        tool("c2", "e", scope="mcp", kind="client", ms=(21, 50), error_type="E"),
    )
    assert found == {"e": ("c1", "nested")}
