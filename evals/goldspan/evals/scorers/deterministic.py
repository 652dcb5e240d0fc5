"""Scorers that need no judge, from the outcome to the latency."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import jsonschema

from goldspan.evals.results import Score
from goldspan.evals.scorers.matching import as_text, at_path, matches
from goldspan.evals.scorers.scoring import RunView, verdict


@dataclass(frozen=True)
class Outcome:
    """The run ended as the case expects (completed, where it says nothing)."""

    name: str = "outcome"

    def score(self, run: RunView) -> Score:
        """Pass where the outcome is one of the expected ones."""
        wanted = run.case.expect.outcomes
        if run.outcome in wanted:
            return verdict(self.name, [])
        return verdict(self.name, [f"{run.outcome}, expected {' or '.join(wanted)}"])


@dataclass(frozen=True)
class Tools:
    """The right tools were called, in the right order, and none that are forbidden."""

    name: str = "tools"

    def score(self, run: RunView) -> Score | None:
        """None where the case expects nothing of the tools."""
        expect = run.case.expect.tools
        if expect is None:
            return None
        called = run.tools_called
        faults = [f"{tool} was not called" for tool in expect.required if tool not in called]
        faults += [f"{tool} is forbidden" for tool in expect.forbidden if tool in called]
        if expect.only:
            faults += [
                f"{t} is not expected" for t in dict.fromkeys(called) if t not in expect.only
            ]
        if expect.any_of and not any(set(group) <= set(called) for group in expect.any_of):
            faults.append(f"none of {expect.any_of} was called whole")
        late = _out_of_order(expect.order, called)
        if late is not None:
            faults.append(f"{late} was not called in the order {' → '.join(expect.order)}")
        return verdict(self.name, faults)


def _out_of_order(order: tuple[str, ...] | list[str], called: list[str]) -> str | None:
    position = 0
    for tool in order:
        try:
            position = called.index(tool, position) + 1
        except ValueError:
            return tool
    return None


@dataclass(frozen=True)
class Arguments:
    """For each expectation, some call of the tool has all the arguments."""

    name: str = "arguments"

    def score(self, run: RunView) -> Score | None:
        """None where the case expects nothing of arguments."""
        if not run.case.expect.arguments:
            return None
        faults = []
        for expected in run.case.expect.arguments:
            calls = [s.arguments for s in run.steps if s.tool == expected.tool]
            if not any(_has_all(arguments, expected.where) for arguments in calls):
                wanted = as_text(expected.where)
                faults.append(f"no call of {expected.tool} with {wanted} ({len(calls)} calls)")
        return verdict(self.name, faults)


def _has_all(arguments: Any, where: dict[str, Any]) -> bool:
    return isinstance(arguments, dict) and all(
        key in arguments and matches(arguments[key], wanted) for key, wanted in where.items()
    )


@dataclass(frozen=True)
class Answer:
    """The final answer holds what it must, and not what it must not."""

    name: str = "answer"

    def score(self, run: RunView) -> Score | None:
        """None where the case expects nothing of the answer."""
        expect = run.case.expect.answer
        if expect is None:
            return None
        text = run.answer or ""
        low = text.lower()
        faults = [f"lacks {t!r}" for t in expect.contains if t.lower() not in low]
        faults += [
            f"lacks any of {group}"
            for group in expect.contains_any
            if not any(t.lower() in low for t in group)
        ]
        faults += [f"has {t!r}" for t in expect.excludes if t.lower() in low]
        faults += [f"does not match {p!r}" for p in expect.regex if not re.search(p, text)]
        if expect.json_schema:
            faults += _schema_faults(text, expect.json_schema)
        return verdict(self.name, faults)


def _schema_faults(text: str, schema: dict[str, Any]) -> list[str]:
    try:
        value = json.loads(text)
    except ValueError as error:
        return [f"is not JSON: {error}"]
    found = jsonschema.Draft202012Validator(schema).iter_errors(value)
    return [f"{error.json_path}: {error.message}" for error in found]


@dataclass(frozen=True)
class EndState:
    """What the run left in database, files and outbox is as the case expects."""

    name: str = "end_state"

    def score(self, run: RunView) -> Score | None:
        """None where the case expects nothing of the end state."""
        if not run.case.expect.end_state:
            return None
        faults = []
        for path, wanted in run.case.expect.end_state.items():
            value = at_path(run.end_state, path)
            if not matches(value, wanted):
                faults.append(f"{path} is {as_text(value)[:80]}, expected {as_text(wanted)}")
        return verdict(self.name, faults)


@dataclass(frozen=True)
class Bounds:
    """Not more calls than the case allows, and no call repeated too often."""

    name: str = "bounds"

    def score(self, run: RunView) -> Score | None:
        """None where the case sets no bounds."""
        bounds = run.case.expect.bounds
        if bounds is None:
            return None
        keys = [json.dumps([s.tool, s.arguments], sort_keys=True, default=str) for s in run.steps]
        most = max(Counter(keys).values(), default=0)
        measured = (
            ("tool calls", len(run.steps), bounds.max_tool_calls),
            ("model calls", run.model_calls, bounds.max_llm_calls),
            ("times the same call", most, bounds.max_repeated_call),
        )
        return verdict(
            self.name,
            [
                f"{value} {what}, at most {limit}"
                for what, value, limit in measured
                if limit is not None and value is not None and value > limit
            ],
        )


@dataclass(frozen=True)
class Cost:
    """USD per run, as recorded; passes at or below `max_usd` where one is set."""

    max_usd: float | None = None
    name: str = "cost"

    def score(self, run: RunView) -> Score:
        """Unmeasured where a call of the run has no price."""
        return _measured(self.name, run.cost_usd, self.max_usd, "USD", "a call has no price")


@dataclass(frozen=True)
class Latency:
    """Milliseconds that the models took, as recorded; passes at or below `max_ms`."""

    max_ms: float | None = None
    name: str = "latency"

    def score(self, run: RunView) -> Score:
        """Unmeasured where the target does not say."""
        return _measured(self.name, run.duration_ms, self.max_ms, "ms", "not measured")


def _measured(name: str, value: float | None, limit: float | None, unit: str, why: str) -> Score:
    if value is None:
        return Score(name, reason=why, unmeasured=True)
    if limit is None:
        return Score(name, value=value)
    passed = value <= limit
    reason = None if passed else f"{value:g} {unit}, at most {limit:g}"
    return Score(name, value=value, passed=passed, reason=reason)
