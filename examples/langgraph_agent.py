"""A LangGraph agent under guard: a budget, allowed suppliers, approval, a breaker.

`python examples/langgraph_agent.py` needs `pip install langgraph` and no key: a script stands in
for the model. What your own agent needs is between the two marks, and `with policy.run():` around
its run.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from goldspan.harness.approvals.asking import LedgerApprover
from goldspan.harness.approvals.deciding import decide
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.contract import Contract
from goldspan.harness.failure.policy import BreakerPolicy, FailurePolicy, RetryPolicy, ToolFailure
from goldspan.harness.failure.retry import Retry
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.operation.outbox import drain
from goldspan.harness.result import Ended
from goldspan.harness.tools import ToolError
from goldspan.harness.wrap import Policy, guard
from goldspan.tracing.instrument import instrument
from goldspan.tracing.recorder import Recorder

STORE = Path("langgraph-example.duckdb")
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


def script(state: MessagesState) -> dict[str, Any]:
    """The stand-in for a model: one step of the plan for each answer so far."""
    step = sum(isinstance(message, AIMessage) for message in state["messages"])
    if step == len(PLAN):
        return {"messages": [AIMessage("done")]}
    name, arguments = PLAN[step]
    call = {"name": name, "args": arguments, "id": f"call-{step}"}
    return {"messages": [AIMessage("", tool_calls=[call])]}


def guarded(recorder: Recorder) -> tuple[Any, Policy]:
    """The graph, and the policy that it runs under."""
    # -- the guards
    targets = {"place_order": {"supplier": {"kind": "exact", "allow": ["acme"]}}}
    contract = Contract.model_validate({"max_tool_calls": 3, "targets": targets})
    policy = Policy(contract, "buyer", recorder=recorder)
    policy.approver = LedgerApprover(Approvals(policy.ledger))
    down = {"stock_of": ToolFailure(retry=RetryPolicy(attempts=1), when_down="tell")}
    failure = FailurePolicy(breaker=BreakerPolicy(failures=2), tools=down)
    policy.breakers = Breakers(policy.ledger, failure, lambda _tx, *event: recorder.event(*event))
    policy.attempts = Retry(failure, recorder, policy.breakers)
    look = guard(stock_of, policy, action_class="read")
    order = guard(place_order, policy, needs_approval=True)
    # -- to here
    graph = StateGraph(MessagesState)
    graph.add_node("model", script)
    graph.add_node("tools", ToolNode([look, order], handle_tool_errors=(ToolError,)))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile(), policy


def approve(policy: Policy, reviewer: str) -> None:
    """Approve what waits: the stand-in for `goldspan approvals approve --as NAME`."""
    approvals = Approvals(policy.ledger)
    for waiting in approvals.waiting():
        decide(approvals, waiting, "approve", reviewer, approvals.issue(waiting, reviewer))
    drain(policy.ledger, lambda: instrument(store=STORE))  # what a person said is an audit event


def attempt(graph: Any, policy: Policy) -> None:
    """Run the agent until it ends or waits. Under the same id it is the same run again, and what
    its budget was used for stays used."""
    try:
        with policy.run("restock-1", task="restock"):
            state = graph.invoke({"messages": [HumanMessage("restock")]})
            print(state["messages"][-1].content)
    except Ended as ended:
        print(f"{ended.outcome}: {ended.reason}")


def main() -> None:
    """Run the agent until it waits, let a person decide, run it again."""
    with instrument(store=STORE) as telemetry:
        graph, policy = guarded(telemetry.recorder)
        attempt(graph, policy)
        approve(policy, "ann")
        attempt(graph, policy)
        print(f"ordered: {', '.join(ORDERS)}")


if __name__ == "__main__":
    main()
