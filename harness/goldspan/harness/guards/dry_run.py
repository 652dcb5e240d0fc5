"""Dangerous tools without their effect: a dry run in place of the call, or before it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.models.protocol import Call
from goldspan.harness.tools import JsonValue, Tool, ToolContext


def dry(tool: Tool) -> Tool:
    """The tool without its effect: its own dry run, else the call as it would be made.

    The result says so, as `dry_run`, and produces no artifact.
    """

    def run(context: ToolContext, arguments: BaseModel) -> JsonValue:
        if tool.dry_run is not None:
            return {"dry_run": True, "would": tool.dry_run(context, arguments)}
        return {"dry_run": True, "would": {tool.name: arguments.model_dump(mode="json")}}

    return replace(tool, run=run, artifact=None, ask=None, action_class="read")


def with_dry_runs(tools: Collection[Tool], named: Collection[str]) -> list[Tool]:
    """The tools, those dry that are named, by themselves or by their action class."""
    return [dry(t) if t.name in named or t.action_class in named else t for t in tools]


@dataclass
class RehearsalGuard:
    """A tool that can run dry must do so first: the same call, with the argument that makes it a
    dry run, and without an error. `arguments` names that argument for each tool."""

    arguments: Mapping[str, str]
    _rehearsed: set[str] = field(default_factory=set)

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Deny a real call that was not rehearsed in this run."""
        name = self.arguments.get(call.name)
        if name is None or self._is_dry(call, name) or _key(call, name) in self._rehearsed:
            return Verdict("dry_run", "allow")
        reason = f"call {call.name} with {name}=true first, look at what it would do, then again"
        return Verdict("dry_run", "deny", reason)

    def observe(self, call: Call, tool: Tool, result: Any) -> None:
        """Note a rehearsal; a real call uses it up."""
        name = self.arguments.get(call.name)
        if name is None:
            return
        if self._is_dry(call, name):
            self._rehearsed.add(_key(call, name))
        else:
            self._rehearsed.discard(_key(call, name))

    @staticmethod
    def _is_dry(call: Call, name: str) -> bool:
        return isinstance(call.arguments, Mapping) and call.arguments.get(name) is True


def _key(call: Call, name: str) -> str:
    given = call.arguments if isinstance(call.arguments, Mapping) else {"": call.arguments}
    rest = {key: value for key, value in given.items() if key != name}
    return json.dumps([call.name, rest], sort_keys=True, default=str)
