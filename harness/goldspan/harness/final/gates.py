"""A gate looks at a final answer and says what it lacks; nothing is made up for what it lacks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from goldspan.harness.result import Step
from goldspan.harness.tools import result_text


@dataclass(frozen=True)
class Seen:
    """What a run has done when it answers. `citable` says what may be cited in this environment,
    None where it does not know; `look` reads the end state, which a gate may not need."""

    workspace: Path
    steps: Sequence[Step]
    artifacts: Sequence[Mapping[str, Any]]
    look: Callable[[], dict[str, Any]]
    citable: Callable[[Path], Collection[str]] | None = None

    @cached_property
    def end_state(self) -> dict[str, Any]:
        """What is there now, as the environment says it."""
        return self.look()

    @cached_property
    def results(self) -> list[str]:
        """What the tools returned, as the model read it; without errors and refusals."""
        return [result_text(step.result) for step in self.steps if brought(step)]


class AnswerGate(Protocol):
    """Anything that judges a final answer. It is asked again about each new one."""

    @property
    def name(self) -> str:
        """What the gate is called in the trace."""
        ...

    def faults(self, answer: str, seen: Seen) -> list[str]:
        """What the answer lacks, worded for the model; nothing where it may pass."""
        ...


@runtime_checkable
class Gating(Protocol):
    """An environment with gates of its own."""

    def answer_gates(self) -> Sequence[AnswerGate]:
        """The gates that each run's answer must pass."""
        ...


@dataclass(frozen=True)
class ArtifactGate:
    """Artifacts that a run owes are made; where one has a path, its file is there and not empty."""

    owed: Sequence[str]
    name: str = "artifacts"

    def faults(self, answer: str, seen: Seen) -> list[str]:
        """What is owed still, with what is wrong with a file that was made."""
        return [found for name in self.owed if (found := self._missing(name, seen)) is not None]

    @staticmethod
    def _missing(name: str, seen: Seen) -> str | None:
        made = [artifact for artifact in seen.artifacts if artifact["name"] == name]
        if not made:
            return name
        wrong = [_wrong(seen.workspace, artifact.get("path")) for artifact in made]
        return None if None in wrong else f"{name} ({wrong[-1]})"


def brought(step: Step) -> bool:
    """Whether a call succeeded."""
    return step.error_type is None


def _wrong(workspace: Path, path: str | None) -> str | None:
    if path is None:
        return None
    file = (workspace / path).resolve()
    if not file.is_relative_to(workspace.resolve()):
        return f"{path} is not in the workspace"
    if not file.is_file():
        return f"{path} is not there"
    return None if file.stat().st_size else f"{path} is empty"
