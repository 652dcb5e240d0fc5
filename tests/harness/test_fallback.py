"""What a model is told of a call that failed, and the parts that a run goes on without."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from goldspan.harness.failure.fallback import Fallback
from goldspan.harness.failure.policy import FailurePolicy, ToolFailure
from goldspan.harness.models.protocol import Call
from goldspan.harness.tools import Tool, ToolError
from goldspan.tracing import semconv
from tests.harness.emitted import Emitted
from tests.harness.scripted import Notebook

LOOK = Call("call_1", "look", {"what": "a"})


def fallback(events: Emitted | None = None, **rules: ToolFailure) -> Fallback:
    tools: Sequence[Tool] = Notebook().tools()
    emitted = Emitted() if events is None else events
    return Fallback(FailurePolicy(tools=rules), {tool.name: tool for tool in tools}, emitted)


def test_an_error_says_whether_another_try_can_help_and_what_to_use_instead() -> None:
    told = fallback(look=ToolFailure(instead="write")).failed(LOOK, "b is not there", "NotFound")
    assert told == {
        "error": "b is not there",
        "type": "NotFound",
        "try_again": False,
        "instead": "write",
    }
    late = fallback().failed(LOOK, "no answer", "TimeoutError", retryable=True)
    assert late == {"error": "no answer", "type": "TimeoutError", "try_again": True}


def test_wrong_arguments_come_with_those_that_are_right() -> None:
    call = Call("call_1", "look", {"what": "c"})
    with pytest.raises(ToolError) as caught:
        Notebook().tools()[0].parse(call.arguments)
    told = fallback().failed(call, str(caught.value), caught.value.error_type)
    assert "what: Input should be 'a' or 'b'" in str(told["error"])
    assert told["expected"] == {"what": {"enum": ["a", "b"], "type": "string"}}
    assert told["required"] == ["what"]
    assert told["try_again"] == "with other arguments"


def test_a_tool_that_the_agent_has_not_is_not_named() -> None:
    told = fallback(look=ToolFailure(instead="peek")).failed(LOOK, "x", "NotFound")
    assert "instead" not in told


def test_a_part_is_pending_in_the_result_the_trace_and_the_answer() -> None:
    events = Emitted()
    soft = fallback(events, look=ToolFailure(when_down="pending", instead="write"))
    assert soft.marked("all is well") == "all is well"
    told = soft.failed(LOOK, "no answer", "TimeoutError", retryable=True)
    assert told["pending"] is True
    assert (told["part"], told["reason"], told["instead"]) == ("look", "no answer", "write")
    assert soft.failed(LOOK, "still none", "TimeoutError", retryable=True)["pending"] is True
    assert events == [
        (
            semconv.PART_PENDING,
            {
                semconv.TOOL_NAME: "look",
                semconv.TOOL_CALL_ID: "call_1",
                semconv.TOOL_ARGUMENTS: '{"what":"a"}',
                semconv.REASON: "no answer",
            },
        )
    ]
    assert soft.marked("all is well") == (
        'all is well\n\nPending:\n- look({"what":"a"}): no answer'
    )
    assert soft.next_actions() == ['fill in what is pending: look({"what":"a"}): no answer']


def test_a_call_that_succeeds_after_all_is_pending_no_more() -> None:
    soft = fallback(look=ToolFailure(when_down="pending"))
    other = Call("call_2", "look", {"what": "b"})
    for call in (LOOK, other):
        soft.failed(call, "no answer", "TimeoutError", retryable=True)
    soft.worked(Call("call_3", "look", {"what": "a"}))
    assert [part.arguments for part in soft.parts] == ['{"what":"b"}']


def test_an_error_of_the_caller_is_told_and_not_pending() -> None:
    soft = fallback(look=ToolFailure(when_down="pending"))
    assert "error" in soft.failed(LOOK, "b is not there", "NotFound")
    assert soft.parts == []


@pytest.mark.parametrize(("when_down", "key"), [("pending", "pending"), ("tell", "error")])
def test_a_call_that_the_breaker_denied_is_told_as_a_failed_one(when_down: Any, key: str) -> None:
    told = fallback(look=ToolFailure(when_down=when_down)).refused(LOOK, "breaker", "look is down")
    assert key in told
    assert fallback().refused(LOOK, "scope", "no such tool") == {"error": "no such tool"}


def test_a_policy_that_names_the_tool_itself_is_refused() -> None:
    with pytest.raises(ValidationError, match="look cannot be used instead of itself"):
        FailurePolicy(tools={"look": ToolFailure(instead="look")})
    with pytest.raises(ValidationError, match="Extra inputs"):
        FailurePolicy.model_validate({"tools": {"look": {"retries": 3}}})
