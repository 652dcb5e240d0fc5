"""Which calls need a person, and which person: by tool, amount and confidence.

In an agent version's `config.yaml`:

    approvals:
      issue_refund:
        above: {amount_usd: 50}
        two_reviewers_above: {amount_usd: 500}
        review_share: 0.1
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, model_validator

from goldspan.harness.approvals.proposal import ApprovalKind
from goldspan.harness.models.protocol import Call
from goldspan.harness.tools import Tool, ToolError
from goldspan.tracing.errors import ConfigError


class ApprovalRule(BaseModel):
    """When calls of one tool wait for a person, and for whom.

    Without a threshold every call waits. With some, a call waits that crosses any of them, and the
    others go by themselves: `above` and `below` compare arguments (by name, `items.amount` for
    each of a list, added up for `above`), `min_confidence` what the agent says of its decision. An
    amount or a confidence that cannot be read counts as crossed.

    `two_reviewers_above` makes one reviewer two. `user` names the argument that says which user is
    concerned, for the kind `user`. `reviewers` are those who may decide; everybody, if there are
    none. `review_share` is the share of the calls which went by themselves that is looked at later.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ApprovalKind = "reviewer"
    above: dict[str, float] = {}
    below: dict[str, float] = {}
    min_confidence: float | None = Field(default=None, ge=0, le=1)
    two_reviewers_above: dict[str, float] = {}
    user: str | None = None
    reviewers: tuple[str, ...] = ()
    review_share: float = Field(default=0, ge=0, le=1)

    @model_validator(mode="after")
    def _complete(self) -> ApprovalRule:
        if (self.kind == "user") != (self.user is not None):
            raise ValueError("kind: user goes with user: ARGUMENT, which says who is concerned")
        if self.kind == "user" and self.two_reviewers_above:
            raise ValueError("a call that its user confirms has no second reviewer")
        if self.review_share and not self.has_thresholds:
            raise ValueError("review_share needs a threshold: without one every call waits")
        if self.kind == "two-reviewers" and len(self.reviewers) == 1:
            raise ValueError("two-reviewers needs two names in reviewers, or none")
        return self

    @property
    def has_thresholds(self) -> bool:
        """Whether some calls go by themselves."""
        return bool(self.above or self.below or self.min_confidence is not None)

    def crossed(self, arguments: Any, confidence: float | str | None) -> list[str]:
        """The thresholds that a call crosses, worded for a person."""
        found = [_over(arguments, name, limit) for name, limit in self.above.items()]
        found += [_under(arguments, name, limit) for name, limit in self.below.items()]
        if self.min_confidence is not None:
            found.append(_unsure(confidence, self.min_confidence))
        return [text for text in found if text is not None]

    def who(self, arguments: Any) -> tuple[ApprovalKind, str | None]:
        """Who must answer for such a call; for the kind `user`, which user, None if unknown."""
        if self.user is not None:
            named = [value for value in _values(arguments, self.user) if value not in (None, "")]
            one = str(named[0]) if len({str(value) for value in named}) == 1 else None
            return "user", one
        if any(_over(arguments, *limit) for limit in self.two_reviewers_above.items()):
            return "two-reviewers", None
        return self.kind, None


Way: TypeAlias = Literal["free", "auto", "person"]
NO_RULE = ApprovalRule()


@dataclass(frozen=True)
class Route:
    """Which way a call takes: `free` needs no approval, `auto` is approved by its rule, `person`
    waits."""

    way: Way
    reason: str = ""
    rule: ApprovalRule = NO_RULE


@dataclass(frozen=True)
class ApprovalRules:
    """The rules of an agent version, and the tools of which every call waits without one."""

    needs_approval: Collection[str] = ()
    rules: Mapping[str, ApprovalRule] = field(default_factory=dict)

    def check(self, tools: Collection[Tool], where: str) -> None:
        """Raise `ConfigError` for a rule of a tool, or on an argument, that is not there."""
        known = {tool.name: tool for tool in tools}
        for name, rule in self.rules.items():
            if name not in known:
                raise _no_such("tool", name, known, f"{where}: approvals")
            arguments = known[name].json_schema().get("properties", {})
            named = [*rule.above, *rule.below, *rule.two_reviewers_above]
            for path in [*named, *([rule.user] if rule.user else [])]:
                if path.split(".")[0] not in arguments:
                    place = f"{where}: approvals.{name}"
                    raise _no_such("argument", path, arguments, place)

    def route(self, call: Call, tool: Tool | None) -> Route:
        """Which way a call takes, and why."""
        rule = self.rules.get(call.name)
        if rule is None:
            waits = call.name in self.needs_approval
            return Route("person", f"{call.name} needs approval") if waits else Route("free")
        if not rule.has_thresholds:
            return Route("person", f"{call.name} needs approval", rule)
        crossed = rule.crossed(as_read(call.arguments, tool), call.confidence)
        if crossed:
            return Route("person", "; ".join(crossed), rule)
        return Route("auto", f"{call.name} stays within what its rule lets go", rule)


def as_read(arguments: Any, tool: Tool | None) -> Any:
    """Arguments as the tool will read them: `"9e3"` is a number to a tool that wants one."""
    if tool is not None:
        with suppress(ToolError):  # the tool refuses such arguments itself
            return tool.parse(arguments).model_dump(mode="json")
    return arguments


def _over(arguments: Any, path: str, limit: float) -> str | None:
    amounts = [_number(value) for value in _values(arguments, path)]
    known = [amount for amount in amounts if amount is not None and amount >= 0]
    if not known or len(known) < len(amounts):
        return f"{path} is no amount that can be compared"
    total = sum(known)
    return f"{path} {total:g} is above {limit:g}" if total > limit else None


def _under(arguments: Any, path: str, limit: float) -> str | None:
    values = [_number(value) for value in _values(arguments, path)]
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return f"{path} is no number that can be compared"
    return f"{path} {min(known):g} is below {limit:g}" if min(known) < limit else None


def _unsure(confidence: float | str | None, least: float) -> str | None:
    stated = _number(confidence)
    if stated is None or not 0 <= stated <= 1:
        return f"the agent states no confidence between 0 and 1, and {least:g} is asked for"
    return f"confidence {stated:g} is below {least:g}" if stated < least else None


def _values(value: Any, path: str) -> list[Any]:
    """Every value at a path; a list on the way stands for its items."""
    found = [value]
    for name in path.split("."):
        items = [each for item in found for each in (item if isinstance(item, list) else [item])]
        found = [item.get(name) if isinstance(item, Mapping) else None for item in items]
    return [each for item in found for each in (item if isinstance(item, list) else [item])]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(Decimal(str(value)))
    except (InvalidOperation, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _no_such(what: str, name: str, known: Collection[str], where: str) -> ConfigError:
    near = difflib.get_close_matches(name, known, 1)
    remedy = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known) or 'none'}"
    return ConfigError(f"there is no {what} {name!r}", where=where, remedy=remedy)
