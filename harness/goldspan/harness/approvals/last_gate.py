"""The last gate: an approved call is checked once more before it is made, days after it was shown.

What a reviewer approved may have changed since: the draft was rewritten, an artifact is gone, what
a claim rests on is no longer there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from goldspan.harness.approvals.proposal import Decision, shown_digest
from goldspan.harness.tools import Tool, ToolContext, ToolError


@runtime_checkable
class Citing(Protocol):
    """An environment that knows what a claim may name as its evidence."""

    def citable(self, workspace: Path) -> Collection[str]:
        """Every id that a claim may name."""
        ...


@dataclass(frozen=True)
class LastGate:
    """`citable` says what a claim may name; without it, a claim may name what stands in a result
    of the run."""

    citable: Callable[[Path], Collection[str]] | None = None

    @classmethod
    def of(cls, environment: object) -> LastGate:
        """The gate of runs in an environment."""
        return cls(environment.citable if isinstance(environment, Citing) else None)

    def faults(
        self,
        tool: Tool,
        context: ToolContext,
        arguments: dict[str, Any],
        decision: Decision,
        *,
        results: Iterable[str],
        artifacts: Sequence[Mapping[str, Any]] = (),
    ) -> list[str]:
        """What stands against the call now, worded for the model; nothing where it may be made.

        `results` are texts that tools returned in this run, `artifacts` what it has made so far:
        one with a `path` must be there in the workspace.
        """
        gone = [
            f"{made['name']} is no longer there ({made['path']})"
            for made in artifacts
            if made.get("path") and not (context.workspace / made["path"]).exists()
        ]
        if tool.preview is None:
            return gone
        try:
            seen = tool.preview(context, arguments)
        except ToolError as error:
            return [*gone, str(error)]
        claims = seen.get("claims") or []
        found = [*gone, *self._unfounded(claims, context.workspace, list(results))]
        shown = shown_digest(seen.get("draft"), claims)
        if decision.shown is not None and decision.shown != shown:
            found.append("the draft or its claims are not those that were approved")
        return found

    def _unfounded(
        self, claims: Sequence[Mapping[str, Any]], workspace: Path, results: Sequence[str]
    ) -> list[str]:
        known = set(self.citable(workspace)) if self.citable is not None else None
        found = []
        for number, claim in enumerate(claims, 1):
            evidence = str(claim.get("evidence") or "").strip()
            if not evidence:
                found.append(f"claim {number} cites nothing")
            elif not (evidence in known if known is not None else _named(evidence, results)):
                found.append(f"claim {number} cites {evidence!r}, which is not there")
        return found


def _named(evidence: str, texts: Iterable[str]) -> bool:
    """Whether a text names exactly this, and not only something that begins like it."""
    pattern = re.compile(rf"(?<![\w-]){re.escape(evidence)}(?![\w-])")
    return any(pattern.search(text) for text in texts)
