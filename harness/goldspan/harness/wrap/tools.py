"""Guards for the tools of any framework: `guard(tool, policy)` wraps a callable, sync or async."""

from __future__ import annotations

import asyncio
import functools
import inspect
import itertools
import uuid
from collections.abc import (
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast

from pydantic import BaseModel, ConfigDict, create_model
from pydantic_core import to_jsonable_python

from goldspan.harness.approvals import ApprovalRule, ApprovalRules, Approver, NamedApprover
from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards import (
    ApprovalGuard,
    BudgetGuard,
    Guard,
    TypicalCost,
    check_rules,
    contract_guards,
    price_of,
    recent_costs,
    typical_cost,
)
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.models.protocol import Call
from goldspan.harness.operation.attended import note_process
from goldspan.harness.steps import Attempts, Once
from goldspan.harness.tools import ActionClass, JsonValue, Tool, ToolContext
from goldspan.harness.wrap.asking import Asking, Preview
from goldspan.harness.wrap.current import AskTool
from goldspan.harness.wrap.earlier import Earlier
from goldspan.harness.wrap.guarded_run import Admits, GuardedRun
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, InternalError
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder

P = ParamSpec("P")
R = TypeVar("R")


@dataclass
class Policy:
    """What the tools of one agent are held to, in all of its runs.

    `approvals` names the tools that need a person's approval, by `approver`, `rules` says for
    which calls of a tool that holds, and whose; `previews` say by tool what a reviewer sees of a
    call (`draft`, `claims`, `risk`, `recommendation`). `asks` say by tool what an earlier call of
    the same key returned, as an object with `result`, or None where there was none. `guards` are
    asked after those of the contract, and before the approval; `attempts` makes a call's effect,
    and `breakers` admit it in the ledger's place. With a `ledger` in a database, caps, kill flags
    and breakers are shared by all processes; without one they end with this process. Without a
    `recorder` nothing is traced.
    """

    contract: Contract = field(default_factory=Contract)
    agent: str = "agent"
    approvals: set[str] = field(default_factory=set)
    approver: Approver = field(default_factory=NamedApprover)
    rules: Mapping[str, ApprovalRule] = field(default_factory=dict)
    previews: dict[str, Preview] = field(default_factory=dict)
    asks: dict[str, AskTool] = field(default_factory=dict)
    guards: Sequence[Guard] = ()
    attempts: Attempts = field(default_factory=Once)
    breakers: Admits | None = None
    ledger: Ledger = field(default_factory=Ledger)
    recorder: Recorder | None = None
    prices: Prices = field(default_factory=Prices)
    typical: TypicalCost | None = None
    tools: dict[str, Tool] = field(default_factory=dict)
    _current: ContextVar[GuardedRun | None] = field(
        default_factory=lambda: ContextVar("goldspan_guarded_run", default=None)
    )
    _ids: Iterator[int] = field(default_factory=itertools.count)

    @contextmanager
    def run(self, run_id: str | None = None, *, task: str | None = None) -> Iterator[GuardedRun]:
        """One run of the agent: calls inside the block count together, in tasks and threads too.

        A run of an id that the ledger knows is the same run again: a call whose outcome was lost
        is not made twice.
        """
        run = self.begin(run_id)
        token = self._current.set(run)
        runs = Runs(self.ledger)
        runs.begin_segment(run.run_id, self.agent, "", queue=None, batch=None)
        note_process(self.ledger, run.run_id)
        outcome, reason = "failed", None
        segment = (
            nullcontext()
            if self.recorder is None
            else self.recorder.agent(self.agent, run_id=run.run_id, input=task)
        )
        try:
            with segment as span:
                if self.recorder is not None:
                    about = {semconv.CONTRACT: self.contract.model_dump_json()}
                    self.recorder.event(semconv.RUN_CONTRACT, about)
                try:
                    yield run
                    outcome = "completed"
                except Exception as error:
                    reason = f"{type(error).__name__}: {error}"
                    raise
                finally:
                    if run.ended is not None:
                        outcome, reason = run.ended.outcome, run.ended.reason
                    if span is not None:
                        span.set_outcome(outcome, reason)
                    if self.recorder is not None:
                        ended = {semconv.RUN_OUTCOME: outcome, semconv.RUN_REASON: reason}
                        self.recorder.event(semconv.RUN_ENDED, ended)
        finally:
            self._current.reset(token)
            usage = run.usage
            usd = None if usage.unpriced_calls else usage.usd or None
            if run.waits_for is not None:
                runs.park(run.run_id, run.waits_for, reason or outcome)
            else:
                runs.end(run.run_id, outcome, reason, usage.tokens, usd)

    def begin(self, run_id: str | None = None) -> GuardedRun:
        """The state of a new run."""
        run_id, usage = run_id or uuid.uuid4().hex, Usage()
        budget = BudgetGuard(
            self.contract,
            usage,
            f"run:{run_id}",
            price_of(self.prices),
            self._typical(),
            self.recorder,
        )
        rules = ApprovalRules(self.approvals, self.rules)
        return GuardedRun(
            run_id,
            self.agent,
            self.ledger,
            contract_guards(
                self.contract,
                budget,
                self.tools.keys(),
                more=[*self.guards, ApprovalGuard(self.approvals, self.rules)],
            ),
            budget,
            usage,
            Asking(run_id, self.ledger, self.approver, rules, self.previews, self.recorder),
            self.attempts,
            self.breakers or self.ledger,
            Earlier(self.ledger, self.asks),
            self.contract.dry_run,
            self.recorder,
            self.recorder,
        )

    def _typical(self) -> TypicalCost | None:
        """What a run of this agent usually costs, where that is known. Nothing is refused for want
        of it: what is wrapped may have no model whose calls count."""
        if self.typical is not None or self.ledger.database.in_memory:
            return self.typical
        costs = recent_costs(self.ledger, self.agent)
        if not costs and self.contract.typical_usd is None and self.contract.typical_tokens is None:
            return None
        priced = any(usd is not None for usd, _ in costs) or self.contract.typical_usd is not None
        try:
            return typical_cost(self.contract, costs, priced=priced)
        except ConfigError:
            return None

    def current(self) -> GuardedRun:
        """The run that this code is part of. Raises `ConfigError` outside of `run()`, and for a
        rule about a tool that is not there, since no call of it would be held to the rule."""
        run = self._current.get()
        if run is None:
            raise ConfigError(
                "a guarded tool was called outside of a run",
                where=self.agent,
                remedy="run the agent inside `with policy.run():`",
            )
        if not run.checked:
            arguments = {name: tuple(t.parameters.model_fields) for name, t in self.tools.items()}
            check_rules(self.contract, arguments)
            ApprovalRules(self.approvals, self.rules).check(self.tools.values(), self.agent)
            run.checked = True
        return run

    def numbered(self, tool: str, arguments: Mapping[str, Any]) -> Call:
        """A call, with an id of ours and arguments as JSON."""
        plain = to_jsonable_python(dict(arguments), fallback=lambda v: f"<{type(v).__name__}>")
        return Call(f"call_{next(self._ids) + 1}", tool, plain)


def guard(
    tool: Callable[P, R],
    policy: Policy,
    *,
    name: str | None = None,
    action_class: ActionClass = "act",
    needs_approval: bool = False,
    without: Collection[str] = (),
    preview: Preview | None = None,
    ask: AskTool | None = None,
) -> Callable[P, R]:
    """The same callable, with every call judged by the policy's guards, sync or async.

    `action_class` is `read` for a tool that changes nothing. `without` are parameters that are no
    part of the call, such as a framework's context. `preview` and `ask` are as in the policy. The
    tool finds its call's idempotency key by `current_call()`. The wrapped tool raises `CallRefused`
    where the model should be told, `Ended` where the run is over or waits, else what the tool
    raises.
    """
    signature = inspect.signature(tool)
    named = [p for p in signature.parameters.values() if p.name not in without]
    known = _tool(tool, name or tool.__name__, named, action_class)
    policy.tools[known.name] = known
    if needs_approval:
        policy.approvals.add(known.name)
    if preview is not None:
        policy.previews[known.name] = preview
    if ask is not None:
        policy.asks[known.name] = ask

    def bound(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Call, Callable[[Any], Any]]:
        given = signature.bind(*args, **kwargs)
        given.apply_defaults()
        said = {key: value for key, value in given.arguments.items() if key not in without}
        call = policy.numbered(known.name, said)

        def make(arguments: Any) -> Any:
            if arguments is not call.arguments:  # a reviewer changed them
                given.arguments.update(arguments)
            return tool(*given.args, **given.kwargs)

        return call, make

    if inspect.iscoroutinefunction(tool):

        @functools.wraps(tool)
        async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
            call, make = bound(args, kwargs)

            async def work(arguments: Any) -> Any:
                made = make(arguments)
                return await made if inspect.isawaitable(made) else made

            return await policy.current().call(call, known, work)

        return cast("Callable[P, R]", later)

    @functools.wraps(tool)
    def now(*args: P.args, **kwargs: P.kwargs) -> R:
        call, make = bound(args, kwargs)

        async def work(arguments: Any) -> R:
            return cast("R", make(arguments))

        return _at_once(policy.current().call(call, known, work, _elsewhere))

    return now


def _tool(
    tool: Callable[..., Any],
    name: str,
    parameters: Sequence[inspect.Parameter],
    action_class: ActionClass,
) -> Tool:
    """The callable as guards see it: its arguments' names, and whether it changes something."""
    fields: dict[str, Any] = {
        p.name: (Any, ... if p.default is inspect.Parameter.empty else None)
        for p in parameters
        if p.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    }
    model: type[BaseModel] = create_model(
        "Arguments", __config__=ConfigDict(extra="allow", arbitrary_types_allowed=True), **fields
    )
    return Tool(name, inspect.getdoc(tool) or "", model, made_elsewhere, action_class)


def made_elsewhere(context: ToolContext, arguments: BaseModel) -> JsonValue:
    """The `run` of a tool that another framework makes."""
    raise InternalError("a wrapped tool is made by its framework")


def _at_once(waiting: Coroutine[Any, Any, R]) -> R:
    """What a coroutine returns that waits for nothing."""
    try:
        waiting.send(None)
    except StopIteration as done:
        return cast("R", done.value)
    waiting.close()
    raise InternalError("a sync tool's call waited for an event loop")


async def _elsewhere(waiting: Awaitable[R]) -> R:
    """What really waits, in an event loop of its own: a sync tool's caller may have none."""

    async def wait() -> R:
        return await waiting

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(copy_context().run, asyncio.run, wait()).result()
