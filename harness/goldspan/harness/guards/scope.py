"""What an agent may call at all, and what its calls may reach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.models.protocol import Call
from goldspan.harness.rules.fields import values_at
from goldspan.harness.rules.stated import Target
from goldspan.harness.rules.targets import permits, targets_in
from goldspan.harness.tools import Tool, ToolError


@dataclass(frozen=True)
class ScopeGuard:
    """Only the tools of the agent version may be called, and only on the targets allowed.

    `targets` are rules by tool and by the path of an argument. Arguments are looked at as the
    model wrote them and as the tool will read them, defaults and aliases included. With `root`,
    the folder that relative paths start from, a link that leads elsewhere is followed first.
    """

    allowed: Collection[str]
    targets: Mapping[str, Mapping[str, Target]] = field(default_factory=dict)
    root: Path | None = None

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Deny a tool or a target that is out of scope, and name what is in it."""
        if tool is None or call.name not in self.allowed:
            known = ", ".join(self.allowed)
            return Verdict("scope", "deny", f"no tool {call.name!r}; there are {known}")
        for path, rule in self.targets.get(call.name, {}).items():
            fault = self._fault(rule, _named(call, tool, path))
            if fault is not None:
                return Verdict("scope", "deny", f"{path}: {fault}")
        return Verdict("scope", "allow")

    def _fault(self, rule: Target, named: list[Any]) -> str | None:
        for value in named:
            try:
                targets = targets_in(rule.kind, value)
            except ValueError as error:
                return str(error)
            for target in targets:
                if not any(self._permits(rule, allowed, target) for allowed in rule.entries):
                    return f"{target} is not allowed; allowed: {', '.join(rule.allow) or 'nothing'}"
        return None

    def _permits(self, rule: Target, allowed: str, target: str) -> bool:
        if not permits(rule.kind, allowed, target):
            return False
        if rule.kind != "path" or self.root is None:
            return True
        meant = (self.root / target).resolve()
        return meant.is_relative_to((self.root / allowed).resolve())


def _named(call: Call, tool: Tool, path: str) -> list[Any]:
    if not isinstance(call.arguments, Mapping):
        return [call.arguments]
    found = values_at(call.arguments, path)
    try:
        read = tool.parse(call.arguments).model_dump(mode="json")
    except ToolError:
        return found  # the tool refuses such arguments itself
    return found + [value for value in values_at(read, path) if value not in found]
