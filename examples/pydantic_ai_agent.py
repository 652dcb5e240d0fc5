"""A pydantic-ai agent under guard: a budget, allowed suppliers, approval, a breaker.

`python examples/pydantic_ai_agent.py` needs no key: a script stands in for the model. What your own
agent needs is between the two marks, and `with policy.run():` around its run.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from pydantic_ai import Agent
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

from goldspan.harness.approvals.asking import LedgerApprover
from goldspan.harness.approvals.deciding import decide
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.contract import Contract
from goldspan.harness.failure.policy import BreakerPolicy, FailurePolicy, RetryPolicy, ToolFailure
from goldspan.harness.failure.retry import Retry
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.operation.outbox import drain
from goldspan.harness.result import Ended
from goldspan.harness.wrap import Policy
from goldspan.harness.wrap.capability import Guarded
from goldspan.tracing.instrument import instrument
from goldspan.tracing.recorder import Recorder

STORE = Path("pydantic-ai-example.duckdb")
ORDERS: list[str] = []
PLAN: list[tuple[str, dict[str, Any]]] = [
    ("stock_of", {"sku": "bolt"}),
    ("stock_of", {"sku": "nut"}),
    ("stock_of", {"sku": "washer"}),
    ("place_order", {"supplier": "initech", "usd": 900}),
    ("place_order", {"supplier": "acme", "usd": 900}),
    ("place_order", {"supplier": "acme", "usd": 200}),
]


def stock_of(sku: str) -> int:
    """How many pieces are in stock."""
    raise ConnectionRefusedError("the warehouse does not answer")


def place_order(supplier: str, usd: float) -> str:
    """Order from a supplier."""
    ORDERS.append(f"{supplier} {usd:g}")
    return "ordered"


def script(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """The stand-in for a model: one step of the plan for each answer so far."""
    step = sum(isinstance(message, ModelResponse) for message in messages)
    if step == len(PLAN):
        return ModelResponse([TextPart("done")])
    name, arguments = PLAN[step]
    return ModelResponse([ToolCallPart(name, arguments)])


def guarded(recorder: Recorder) -> tuple[Agent[None, str], Policy]:
    """The agent, and the policy that it runs under."""
    # -- the guards
    targets = {"place_order": {"supplier": {"kind": "exact", "allow": ["acme"]}}}
    contract = Contract.model_validate({"max_tool_calls": 3, "targets": targets})
    policy = Policy(contract, "buyer", recorder=recorder)
    policy.approver = LedgerApprover(Approvals(policy.ledger))
    down = {"stock_of": ToolFailure(retry=RetryPolicy(attempts=1), when_down="tell")}
    failure = FailurePolicy(breaker=BreakerPolicy(failures=2), tools=down)
    policy.breakers = Breakers(policy.ledger, failure, lambda _tx, *event: recorder.event(*event))
    policy.attempts = Retry(failure, recorder, policy.breakers)
    agent = Agent(FunctionModel(script), capabilities=[Guarded(policy)])
    # -- to here
    agent.tool_plain(metadata={"action_class": "read"})(stock_of)
    agent.tool_plain(metadata={"needs_approval": True})(place_order)
    return agent, policy


def approve(policy: Policy, reviewer: str) -> None:
    """Approve what waits: the stand-in for `goldspan approvals approve --as NAME`."""
    approvals = Approvals(policy.ledger)
    for waiting in approvals.waiting():
        decide(approvals, waiting, "approve", reviewer, approvals.issue(waiting, reviewer))
    drain(policy.ledger, lambda: instrument(store=STORE))  # what a person said is an audit event


def attempt(agent: Agent[None, str], policy: Policy) -> None:
    """Run the agent until it ends or waits. Under the same id it is the same run again, and what
    its budget was used for stays used."""
    try:
        with policy.run("restock-1", task="restock"):
            print(asyncio.run(agent.run("restock")).output)
    except Ended as ended:
        print(f"{ended.outcome}: {ended.reason}")


def main() -> None:
    """Run the agent until it waits, let a person decide, run it again."""
    with instrument(store=STORE) as telemetry:
        agent, policy = guarded(telemetry.recorder)
        attempt(agent, policy)
        approve(policy, "ann")
        attempt(agent, policy)
        print(f"ordered: {', '.join(ORDERS)}")


if __name__ == "__main__":
    main()
