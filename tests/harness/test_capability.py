"""The capability for pydantic-ai: budgets of its model, verdicts on its tools, nothing wrapped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic_ai import Agent, ModelRetry
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.usage import RequestUsage

from goldspan.harness.approvals import NamedApprover
from goldspan.harness.contract import Contract
from goldspan.harness.result import Ended
from goldspan.harness.wrap import Policy
from goldspan.harness.wrap.capability import Guarded
from goldspan.tracing.errors import ConfigError


def agent_of(policy: Policy, *steps: tuple[str, dict[str, Any]], seen: list[Any]) -> Any:
    """An agent whose model takes these steps and then answers; `seen` gets its settings."""

    def script(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        seen.append(info.model_settings)
        step = sum(isinstance(message, ModelResponse) for message in messages)
        part = TextPart("done") if step >= len(steps) else ToolCallPart(*steps[step])
        return ModelResponse([part], usage=RequestUsage(input_tokens=50, output_tokens=10))

    return Agent(FunctionModel(script), capabilities=[Guarded(policy)])


def ask(agent: Any, text: str = "hello", **more: Any) -> Any:
    """One run of the agent, in an event loop that is closed again."""
    return asyncio.run(agent.run(text, **more))


def told(result: Any) -> list[str]:
    """What the model was told of its calls."""
    parts = [part for message in result.all_messages() for part in message.parts]
    return [str(p.content) for p in parts if isinstance(p, ToolReturnPart | RetryPromptPart)]


def test_model_calls_are_reserved_settled_and_bounded() -> None:
    policy = Policy(Contract(max_tokens=3000))
    seen: list[Any] = []
    agent = agent_of(policy, seen=seen)
    with policy.run("r") as run:
        assert ask(agent).output == "done"
        assert 0 < seen[0]["max_tokens"] < 3000
        assert policy.ledger.used("run:r", "tokens") == (60, 3000)
        ask(agent, model_settings={"max_tokens": 200})
        assert seen[1]["max_tokens"] == 200
        assert run.usage.tokens == 120
        with pytest.raises(Ended, match="budget of 3000 tokens has 2880 left"):
            ask(agent, "hello " * 500)
    assert len(seen) == 2


def test_streams_count_too() -> None:
    policy = Policy()

    async def stream(messages: list[ModelMessage], info: AgentInfo) -> AsyncIterator[str]:
        yield "do"
        yield "ne"

    agent = Agent(FunctionModel(stream_function=stream), capabilities=[Guarded(policy)])

    async def read() -> str:
        async with agent.run_stream("hello") as result:
            return await result.get_output()

    with policy.run("r") as run:
        assert asyncio.run(read()) == "done"
        assert run.usage.model_calls == 1
        used = policy.ledger.used("run:r", "tokens")
        assert used is not None
        assert used[0] == run.usage.tokens


def test_the_model_is_told_of_what_was_denied_and_of_what_failed() -> None:
    rule = {"send": {"to": {"kind": "email", "allow": ["example.com"]}}}
    policy = Policy(Contract.model_validate({"targets": rule}), approver=NamedApprover("approve"))
    steps = [("send", {"to": "eve@evil.test"}), ("send", {"to": "ann@example.com"}), ("odd", {})]
    agent = agent_of(policy, *steps, seen=[])
    sent: list[str] = []

    def send(to: str) -> str:
        sent.append(to)
        return "sent"

    def odd() -> str:
        raise ModelRetry("say it otherwise")

    agent.tool_plain(metadata={"needs_approval": True})(send)
    agent.tool_plain(metadata={"action_class": "read"})(odd)
    with policy.run() as run:
        said = told(ask(agent))
    assert said[0].endswith("eve@evil.test is not allowed; allowed: example.com")
    assert said[1:] == ["sent", "say it otherwise"]
    assert (sent, run.usage.tool_calls) == (["ann@example.com"], 2)
    assert policy.tools["odd"].action_class == "read"


@pytest.mark.parametrize("named", ["send", "act"])
def test_a_dry_run_makes_no_call(named: str) -> None:
    policy = Policy(Contract(dry_run=(named,)))
    agent = agent_of(policy, ("send", {"to": "ann@example.com"}), ("look", {}), seen=[])
    made: list[str] = []

    def send(to: str) -> None:
        made.append(to)

    def look() -> str:
        return "seen"

    agent.tool_plain(send)
    agent.tool_plain(metadata={"action_class": "read"})(look)
    with policy.run():
        said = told(ask(agent))
    assert said == ["{'dry_run': True, 'would': {'send': {'to': 'ann@example.com'}}}", "seen"]
    assert made == []


def test_an_edit_reaches_the_tool_and_a_pause_leaves_the_run() -> None:
    policy = Policy(approver=NamedApprover("edit", {"usd": 5}), approvals={"pay"})
    agent = agent_of(policy, ("pay", {"usd": 9}), seen=[])
    paid: list[int] = []

    def pay(usd: int) -> None:
        paid.append(usd)

    agent.tool_plain(pay)
    with policy.run():
        ask(agent)
    policy.approver = NamedApprover("none")
    with policy.run() as run, pytest.raises(Ended, match="waits for a reviewer"):
        ask(agent)
    assert run.ended is not None
    assert (paid, run.ended.outcome) == ([5], "paused")


def test_nothing_is_asked_outside_of_a_run_or_under_a_wrong_rule() -> None:
    seen: list[Any] = []
    policy = Policy(Contract(allowed_tools=("sned",)))
    agent = agent_of(policy, seen=seen)
    with pytest.raises(ConfigError, match="outside of a run"):
        ask(agent)
    with policy.run(), pytest.raises(ConfigError, match="there is no tool 'sned'"):
        ask(agent)
    assert seen == []
