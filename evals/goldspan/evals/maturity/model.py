"""A grade, the checklist's lines that lead to it, and the evidence for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias

from goldspan.evals.maturity.engine_state import EngineState
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.tools import Tool
from goldspan.tracing.pricing import Prices
from goldspan.tracing.redaction import Policy

Needed: TypeAlias = Literal["Internal", "Beta", "Production"]
Grade: TypeAlias = Literal["Don't ship", "Internal", "Beta", "Production"]
GRADES: tuple[Grade, ...] = ("Don't ship", "Internal", "Beta", "Production")
NEEDED: tuple[Needed, ...] = ("Internal", "Beta", "Production")


@dataclass(frozen=True)
class History:
    """What the store knows of a version. `runs` and `approvals` are of real traffic, `experiments`
    newest first; `replay_fault` says why the newest run could not be replayed. `drill` is the
    newest of the kill switch, and `oldest` the agent's oldest real trace; None for none."""

    runs: dict[str, Any]
    approvals: dict[str, Any]
    experiments: tuple[dict[str, Any], ...]
    replay_fault: str | None = None
    drill: dict[str, Any] | None = None
    oldest: datetime | None = None


@dataclass(frozen=True)
class Evidence:
    """What the lines look at. `history` is None without a store, `engine` without durable runs."""

    version: AgentVersion
    home: AgentFolder
    tools: tuple[Tool, ...]
    fault: str | None
    stated_limits: frozenset[str]
    prices: Prices
    policy: Policy
    rules_file: str | None
    history: History | None
    engine: EngineState | None
    now: datetime

    @property
    def asks(self) -> frozenset[str]:
        """The tools whose calls wait for a person."""
        return self.version.approval_names(list(self.tools))


@dataclass(frozen=True)
class Finding:
    """Whether a line holds, on what evidence, and what is missing where it does not."""

    met: bool
    evidence: str
    missing: str = ""
    trace_id: str | None = None


@dataclass(frozen=True)
class Line:
    """One line of the checklist: `needed` from that grade on."""

    id: str
    needed: Needed
    question: str
    check: Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Assessment:
    """The grade of an agent version: the highest whose lines all hold."""

    agent: str
    version: str
    digest: str
    grade: Grade
    findings: tuple[tuple[Line, Finding], ...]

    @property
    def missing(self) -> list[tuple[Line, Finding]]:
        """What does not hold, what the next grade needs first."""
        failed = [pair for pair in self.findings if not pair[1].met]
        return sorted(failed, key=lambda pair: NEEDED.index(pair[0].needed))

    def to_json(self) -> dict[str, Any]:
        """What a machine is told."""
        lines = [
            {"id": line.id, "needed": line.needed, "question": line.question, **asdict(finding)}
            for line, finding in self.findings
        ]
        return {
            "agent": self.agent,
            "version": self.version,
            "digest": self.digest,
            "grade": self.grade,
            "missing": [line.id for line, _ in self.missing],
            "lines": lines,
        }


def grade_of(findings: tuple[tuple[Line, Finding], ...]) -> Grade:
    """The highest grade for which, and for all below it, every line holds."""
    grade: Grade = "Don't ship"
    for needed in NEEDED:
        if not all(finding.met for line, finding in findings if line.needed == needed):
            break
        grade = needed
    return grade
