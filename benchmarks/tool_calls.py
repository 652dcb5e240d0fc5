"""The same tool calls made in several ways: in a bare loop, and with guards and spans around them.

The model is a script and the tool a lookup in nothing, so what is left is what the ways cost.
Every guard is switched on, with a rule that fits the tool. `benchmarks.harness` measures.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from opentelemetry._logs import NoOpLoggerProvider
from opentelemetry.trace import NoOpTracerProvider
from pydantic import BaseModel, ConfigDict

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards import (
    ApprovalGuard,
    BudgetGuard,
    contract_guards,
    first_objection,
    observe_result,
    verify_result,
)
from goldspan.harness.ledger import Intent, Ledger
from goldspan.harness.models.messages import ModelAnswer, ModelRequest, text_message
from goldspan.harness.models.protocol import Call, Protocol
from goldspan.harness.run import run_agent
from goldspan.harness.safety.shield import Safety
from goldspan.harness.tools import Tool, ToolContext, result_text, seeded
from goldspan.harness.wrap.tools import Policy, guard
from goldspan.tracing import semconv
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder

CALLS = 20  # a run
PROVIDER, MODEL = "openai", "gpt-4o-mini"
SYSTEM = "You tell customers what their orders are doing. " + "b" * 400
CUSTOMERS = [(f"customer-{n}@larkspur.example", 5000 + n) for n in range(CALLS)]
TASK = "Look up: " + "; ".join(f"order {order} of {to}" for to, order in CUSTOMERS)
DETAIL = "c" * 200
CONTRACT: dict[str, Any] = {
    "max_tokens": 1_000_000,
    "max_tool_calls": CALLS + 1,
    "max_iterations": CALLS + 2,
    "max_usd": 1,
    "targets": {"look_up": {"to": {"kind": "email", "allow": ["larkspur.example"]}}},
    "caps": [{"of": "act", "max_calls": 1_000_000_000}],
    "plausible": {"look_up": [{"field": "order", "range": {"min": 1, "max": 9999}}]},
    "outputs": {"look_up": {"required": ["order", "state"], "not_empty": ["state"]}},
}
SAFETY: dict[str, Any] = {
    "mark": "delimit",
    "trust_user": True,
    "injection": {"grants": ["look_up"]},
    "egress": {"email_domains": ["larkspur.example"], "fields": {"look_up": {"to": "email"}}},
}
Way: TypeAlias = Callable[[], Awaitable[None]]


class Order(BaseModel):
    """Whose order, and which."""

    model_config = ConfigDict(extra="forbid")
    to: str
    order: int


def look_up(to: str, order: int) -> dict[str, Any]:
    """What an order is doing."""
    return {"order": order, "state": "sent", "detail": f"{DETAIL} {order}"}


def _run(context: ToolContext, arguments: Order) -> dict[str, Any]:
    return look_up(arguments.to, arguments.order)


TOOL = Tool("look_up", "What an order is doing.", Order, _run, "act", untrusted_output=True)


class Shop:
    """An environment of the one tool."""

    def tools(self) -> Sequence[Tool]:
        """The tool."""
        return (TOOL,)

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        """Nothing is needed."""

    def end_state(self, workspace: Path) -> dict[str, Any]:
        """Nothing is left."""
        return {}


def _answers() -> list[ModelAnswer]:
    parts: list[dict[str, Any]] = [
        {
            "type": "tool_call",
            "id": f"call_{n}",
            "name": TOOL.name,
            "arguments": {"to": to, "order": order},
        }
        for n, (to, order) in enumerate(CUSTOMERS)
    ]
    parts.append({"type": "text", "content": "Done."})
    return [
        ModelAnswer(
            {"role": "assistant", "parts": [part]},
            finish_reason="stop",
            response_model=MODEL,
            input_tokens=800,
            output_tokens=60,
        )
        for part in parts
    ]


ANSWERS = _answers()
DEFINITIONS = Protocol("native", [TOOL]).definitions()
NOW = datetime(2026, 1, 5, tzinfo=UTC)
PRICES = Prices()


@dataclass
class Script:
    """A model that costs nothing: the next answer of the script."""

    turn: int = 0

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """One answer."""
        self.turn += 1
        return ANSWERS[self.turn - 1]


async def bare_loop(
    call: Callable[[int, dict[str, Any]], Awaitable[Any]],
    ask: Callable[[Script, ModelRequest], Awaitable[ModelAnswer]] = Script.answer,
) -> None:
    """What any agent does: ask the model, make the call that it wants, tell it, until it answers.
    `call` takes a call's number and arguments."""
    script, messages = Script(), [text_message("user", TASK)]
    while True:
        answer = await ask(script, ModelRequest(PROVIDER, MODEL, SYSTEM, messages))
        messages.append(answer.message)
        (part,) = answer.message["parts"]
        if part["type"] == "text":
            return
        result = result_text(await call(script.turn - 1, part["arguments"]))
        messages.append({"role": "tool", "parts": [_response(part["id"], result)]})


def _response(call_id: str, result: str) -> dict[str, Any]:
    return {"type": "tool_call_response", "id": call_id, "response": result}


async def made(number: int, arguments: dict[str, Any]) -> Any:
    """The call alone."""
    context = ToolContext(Path(), "r1", seeded("r1", TOOL.name, number), NOW, number)
    return await TOOL.call(context, TOOL.parse(arguments))


async def bare() -> None:
    """Nothing around the calls."""
    await bare_loop(made)


def spans_alone(recorder: Recorder) -> Way:
    """The spans and events of a run, and no guard."""

    async def ask(script: Script, request: ModelRequest) -> ModelAnswer:
        with recorder.model_call(
            provider=PROVIDER,
            request_model=MODEL,
            input_messages=request.messages,
            system=SYSTEM,
            tools=DEFINITIONS,
        ) as span:
            answer = await script.answer(request)
            span.respond(
                response_model=MODEL,
                output_messages=[{**answer.message, "finish_reason": answer.finish_reason}],
                finish_reason=answer.finish_reason,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
            )
        recorder.event(semconv.DECISION, {semconv.STEP: 1, semconv.DECISION_CHOSEN: TOOL.name})
        return answer

    async def call(number: int, arguments: dict[str, Any]) -> Any:
        ruled = {semconv.GUARD_NAME: "approval", semconv.GUARD_VERDICT: "allow"}
        recorder.event(semconv.GUARD_VERDICT, {**ruled, semconv.TOOL_NAME: TOOL.name})
        with recorder.tool(TOOL.name, call_id=f"call_{number}", arguments=arguments) as span:
            result = await made(number, arguments)
            span.set_result(result)
        source = {semconv.TEXT_SOURCE: f"tool:{TOOL.name}", semconv.TEXT_TRUSTED: False}
        recorder.event(semconv.TEXT_SEEN, {**source, semconv.TEXT_DIGEST: "0" * 64})
        return result

    async def way() -> None:
        with recorder.agent("shop", run_id="r1", provider=PROVIDER, model=MODEL, input=TASK):
            await bare_loop(call, ask)

    return way


async def guards_alone() -> None:
    """Every guard and the ledger's admission, and no telemetry."""
    contract, usage = Contract.model_validate(CONTRACT), Usage()
    shield = Safety.model_validate(SAFETY).start()
    shield.task(TASK)
    with closing(Ledger()) as ledger:
        guards = contract_guards(
            contract,
            BudgetGuard(contract, usage, "run:r1"),
            [TOOL.name],
            more=(*shield.guards(), ApprovalGuard(frozenset())),
        )

        async def call(number: int, arguments: dict[str, Any]) -> Any:
            call = Call(f"call_{number}", TOOL.name, arguments)
            verdict = first_objection(guards, call, TOOL)
            intent = Intent.of("r1", number, TOOL.name, arguments, action_class="act")
            admitted = ledger.admit(intent, verdict.wants)
            if verdict.ruling != "allow" or admitted.standing != "admitted":
                raise SystemExit(f"refused: {verdict.reason or admitted.reason}")
            usage.tool_calls += 1
            result = await made(number, arguments)
            verify_result(guards, call, TOOL, result)
            observe_result(guards, call, TOOL, result)
            shield.result(TOOL, result_text(result))
            return result

        await bare_loop(call)


def wrapped(recorder: Recorder | None) -> Way:
    """`guard(tool, policy)`, as around any framework's tool."""
    policy = Policy(Contract.model_validate(CONTRACT), "shop", recorder=recorder)
    tool = guard(look_up, policy)

    async def call(number: int, arguments: dict[str, Any]) -> Any:
        return tool(**arguments)

    async def way() -> None:
        with policy.run(task=TASK):
            await bare_loop(call)

    return way


def shop(folder: Path) -> AgentVersion:
    """The agent as a version's folder."""
    folder.mkdir(parents=True)
    config = {
        "model": MODEL,
        "provider": PROVIDER,
        "environment": "benchmarks.tool_calls:Shop",
        "contract": CONTRACT,
        "safety": SAFETY,
        "failure": {},
    }
    (folder / "system-prompt.md").write_text(SYSTEM, encoding="utf-8")
    (folder / "tools.yaml").write_text(f"- name: {TOOL.name}\n", encoding="utf-8")
    (folder / "config.yaml").write_text(json.dumps(config), encoding="utf-8")
    return AgentVersion.load(folder)


def whole_run(version: AgentVersion, recorder: Recorder) -> Way:
    """`run_agent`: guards, ledger, retries, prices, spans and events."""

    async def way() -> None:
        result = await run_agent(
            version,
            TASK,
            model=Script(),
            recorder=recorder,
            workspace=version.path / "workspace",
            prices=PRICES,
        )
        if result.outcome != "completed" or len(result.steps) != CALLS:
            raise SystemExit(f"{result.outcome}: {result.reason}")

    return way


def silent() -> Recorder:
    """A recorder whose spans and events go nowhere."""
    return Recorder(NoOpTracerProvider(), NoOpLoggerProvider())
