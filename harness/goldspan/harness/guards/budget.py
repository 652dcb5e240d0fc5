"""What a run may spend: reserved before each call, and settled by what the call really used."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards.chain import Verdict
from goldspan.harness.guards.typical_cost import TypicalCost
from goldspan.harness.ledger.entries import Want
from goldspan.harness.models.messages import ModelRequest
from goldspan.harness.models.protocol import Call
from goldspan.harness.run_events import Events
from goldspan.harness.tools import Tool
from goldspan.tracing import semconv
from goldspan.tracing.pricing import Prices

# What is reserved for an answer where the settings state no max_tokens.
SHORTEST_ANSWER, LONGEST_ANSWER = 64, 4096
MESSAGE_TOKENS = 16  # what a chat template adds to a message
Price = Callable[[str, str, int, int], float | None]
"""USD for provider, model, input and output tokens; None where there is no price."""


def price_of(prices: Prices) -> Price:
    """What a call costs by a price list."""

    def price(provider: str, model: str, input_tokens: int, output_tokens: int) -> float | None:
        found = prices.of_call(
            provider=provider,
            models=(model,),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
        )
        return None if found is None else found.usd

    return price


@dataclass
class BudgetGuard:
    """A call that would exceed the contract does not start.

    `scope` names the run's limits in the ledger (`run:ID`); without one nothing is reserved, and
    calls made side by side are not told apart. With `typical`, `events` get one incident where the
    run has cost `contract.alarm_at` times that, and no model call starts where it has cost
    `contract.stop_at` times that: this compares what was spent, and may be late by one call.

    `answer_tokens` is what was reserved for the answer to the last request; whoever asks should
    allow the model no more, where its settings do not say so.
    """

    contract: Contract
    usage: Usage
    scope: str | None = None
    price: Price | None = None
    typical: TypicalCost | None = None
    events: Events | None = None
    answer_tokens: int = 0
    _asked: ModelRequest | None = None
    _input_tokens: int = 0
    _alarmed: bool = False

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Stop the run before the tool call that would be one too many."""
        limit = self.contract.max_tool_calls
        if self.usage.tool_calls >= limit:
            return Verdict("budget", "stop", f"budget of {limit} tool calls is used up")
        if self.usage.seconds >= self.contract.max_seconds:
            return Verdict("budget", "stop", f"{self.contract.max_seconds:g} seconds are used up")
        return self._allow([("tool_calls", 1, limit)])

    def before_model(self, request: ModelRequest) -> Verdict:
        """Stop the run before a model call that its contract has not enough left for.

        What the call may use at most is reserved: the tokens of its input, bounded from above,
        and of the longest answer that the settings allow, and their price.
        """
        limit = self.usage.exceeded(self.contract)
        if limit is not None:
            return Verdict("budget", "stop", limit)
        runaway = self._runaway()
        if runaway is not None:
            return Verdict("cost", "stop", runaway)
        input_tokens = self._at_most(request)
        answer_tokens = self.answer_tokens = self._answer(request, input_tokens)
        tokens = input_tokens + answer_tokens
        wants: list[tuple[str, float, float, float]] = [
            ("tokens", tokens, self.contract.max_tokens, self.usage.tokens)
        ]
        if self.contract.max_usd is not None and self.price is not None:
            usd = self.price(request.provider, request.model, input_tokens, answer_tokens)
            if usd is None:
                reason = f"{request.model} has no price: its USD budget cannot be kept"
                return Verdict("budget", "stop", reason)
            wants.append(("usd", usd, self.contract.max_usd, self.usage.usd))
        for unit, amount, most, used in wants:
            if used + amount > most:
                reason = (
                    f"budget of {most:g} {unit} has {most - used:g} left, and the next call may use"
                    f" {amount:g} (up to {input_tokens} tokens in and {answer_tokens} out)"
                )
                return Verdict("budget", "stop", reason)
        return self._allow([(unit, amount, most) for unit, amount, most, _ in wants])

    def _allow(self, wanted: Sequence[tuple[str, float, float]]) -> Verdict:
        if self.scope is None:
            return Verdict("budget", "allow")
        wants = [Want(self.scope, unit, amount, most, "budget") for unit, amount, most in wanted]
        return Verdict("budget", "allow", wants=tuple(wants))

    def _answer(self, request: ModelRequest, input_tokens: int) -> int:
        """The longest answer: what the settings say, else what the budget has room for."""
        stated = request.settings.get("max_tokens")
        if stated:
            return int(stated)
        room = self.contract.max_tokens - self.usage.tokens - input_tokens
        return max(SHORTEST_ANSWER, min(LONGEST_ANSWER, room))

    def _at_most(self, request: ModelRequest) -> int:
        """A bound of a request's input tokens: no tokenizer makes more tokens than bytes.

        Where a request goes on from the one before, what that one counted is known, and only what
        is new is bounded.
        """
        counted = self.usage.input_tokens - self._input_tokens
        before, self._asked = self._asked, request
        self._input_tokens = self.usage.input_tokens
        if before is not None and counted > 0 and _goes_on(before, request):
            new = request.messages[len(before.messages) :]
            return counted + _bytes(new) + MESSAGE_TOKENS * len(new)
        fixed = [request.system, list(request.tools), request.output_schema]
        return _bytes([fixed, *request.messages]) + MESSAGE_TOKENS * (len(request.messages) + 1)

    def _runaway(self) -> str | None:
        """Why a run that costs so much more than others must stop; the alarm comes before."""
        typical = self.typical
        if typical is None:
            return None
        used = self.usage.usd if typical.unit == "usd" else self.usage.tokens
        times = used / typical.amount
        reason = (
            f"the run has used {used:g} {typical.unit}, {times:.0f} times what a run of this agent"
            f" takes ({typical.amount:g}, {typical.source})"
        )
        if times >= self.contract.alarm_at and not self._alarmed and self.events is not None:
            self._alarmed = True
            self.events.event(
                semconv.INCIDENT,
                {
                    semconv.INCIDENT_KIND: "guard:cost",
                    semconv.INCIDENT_SEVERITY: "warning",
                    semconv.REASON: reason,
                },
            )
        return reason if times >= self.contract.stop_at else None


def _goes_on(before: ModelRequest, request: ModelRequest) -> bool:
    same = (before.provider, before.model, before.system) == (
        request.provider,
        request.model,
        request.system,
    )
    same = same and list(before.tools) == list(request.tools)
    return same and list(request.messages[: len(before.messages)]) == list(before.messages)


def _bytes(value: Any) -> int:
    return len(json.dumps(value, ensure_ascii=False, default=str).encode())
