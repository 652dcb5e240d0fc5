"""Whether the input of an action is plausible: 200 items that report zero stock are a fault."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.models.protocol import Call
from goldspan.harness.rules.fields import number, values_at
from goldspan.harness.rules.stated import InputRule
from goldspan.harness.tools import Tool


@dataclass
class InputGuard:
    """Holds actions on many items to rules about these items, before they are made.

    The items stand in the action's arguments, or in results that another tool has given in this
    run. What breaks a rule waits for a person, if the rule says nothing else.
    """

    rules: Mapping[str, Sequence[InputRule]]
    _results: dict[str, list[Any]] = field(default_factory=dict)

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Object to the first rule that is broken, with the figures."""
        for rule in self.rules.get(call.name, ()):
            if rule.results_of is None:
                values = values_at(call.arguments, rule.field)
            else:
                results = self._results.get(rule.results_of, [])
                values = [value for result in results for value in values_at(result, rule.field)]
            fault = implausible(rule, values)
            if fault is not None:
                of = f" of {rule.results_of}" if rule.results_of else ""
                return Verdict("inputs", rule.ruling, f"{rule.field}{of}: {fault}")
        return Verdict("inputs", "allow")

    def observe(self, call: Call, tool: Tool, result: Any) -> None:
        """Keep the result of a tool that a rule asks for."""
        if any(rule.results_of == call.name for rules in self.rules.values() for rule in rules):
            self._results.setdefault(call.name, []).append(result)


def implausible(rule: InputRule, values: Sequence[Any]) -> str | None:
    """What is wrong with the values of a rule's field, worded for a person; None where nothing."""
    if rule.max_items is not None and len(values) > rule.max_items:
        return f"{len(values)} items, at most {rule.max_items} are plausible"
    if rule.range is not None:
        for value in values:
            read = number(value)
            if read is None or read not in rule.range:
                return f"{value!r} is not in {rule.range}"
    if rule.max_share is None or len(values) < rule.min_items:
        return None
    spelled = Counter(_spelled(value) for value in values)
    shown, count = spelled.most_common(1)[0]
    if rule.value is not None:
        shown = _spelled(rule.value)
        count = spelled[shown]
    if count <= rule.max_share * len(values):
        return None
    return f"{count} of {len(values)} items say {shown}, at most {rule.max_share:.0%} are plausible"


def _spelled(value: Any) -> str:
    """One spelling of a value: 0, 0.0 and "0" are the same."""
    read = number(value)
    return json.dumps(value, sort_keys=True, default=str) if read is None else f"{read:g}"
