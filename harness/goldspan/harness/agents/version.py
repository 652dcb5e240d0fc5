"""Agent versions: a folder each, `current` naming one, identified by the digest of what decides.

agents/<name>/current
agents/<name>/v1.0.0/{system-prompt.md, tools.yaml, config.yaml, examples.yaml, README.md}
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from goldspan.harness.approvals.rules import ApprovalRule, ApprovalRules
from goldspan.harness.contract import Contract
from goldspan.harness.failure.policy import FailurePolicy
from goldspan.harness.final.policy import FinalPolicy
from goldspan.harness.models.context import ContextPolicy
from goldspan.harness.models.protocol import ANSWER, Example, ToolMode
from goldspan.harness.models.routing import Routing
from goldspan.harness.operation.progress import ProgressPolicy
from goldspan.harness.safety.shield import Safety
from goldspan.harness.tools import Environment, Tool
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.files import parse_yaml, read_text
from goldspan.tracing.validation import faults_of

M = TypeVar("M", bound=BaseModel)
DECIDING_FILES = ("system-prompt.md", "tools.yaml", "config.yaml", "examples.yaml")


class AgentConfig(BaseModel):
    """`config.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str
    provider: str
    tool_mode: ToolMode = "native"
    settings: dict[str, Any] = {}
    environment: str
    contract: Contract = Contract()
    safety: Safety = Safety()
    failure: FailurePolicy | None = None
    routing: Routing | None = None
    context: ContextPolicy | None = ContextPolicy()
    final: FinalPolicy = FinalPolicy()
    progress: ProgressPolicy | None = None
    approvals: dict[str, ApprovalRule] = {}

    @property
    def states_confidence(self) -> bool:
        """Whether the model must say how sure it is: an approval or a route depends on it."""
        limits = [rule.min_confidence for rule in self.approvals.values()]
        if self.routing is not None:
            limits.append(self.routing.escalate_below)
        return any(limit is not None for limit in limits)


class ToolEntry(BaseModel):
    """One entry of `tools.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    needs_approval: bool | None = None


@dataclass(frozen=True)
class AgentVersion:
    """One version of an agent, loaded and checked."""

    name: str
    version: str
    path: Path
    digest: str
    system_prompt: str
    config: AgentConfig
    entries: tuple[ToolEntry, ...]
    examples: tuple[Example, ...] = ()

    @classmethod
    def load(cls, path: Path) -> AgentVersion:
        """A version's folder, or an agent's folder with `current` in it.

        Raises `ConfigError` that names the file and field.
        """
        if (path / "current").is_file():
            path = path / read_text(path / "current", ConfigError).strip()
        if not (path / "config.yaml").is_file():
            raise ConfigError(
                "this is no agent version: it has no config.yaml",
                where=str(path),
                remedy="name a folder such as agents/support-desk/v1.0.0",
            )
        config = _checked(AgentConfig, _yaml(path / "config.yaml"), path / "config.yaml")
        listed = _yaml(path / "tools.yaml")
        if not isinstance(listed, list):
            raise ConfigError("must be a list of tools", where=str(path / "tools.yaml"))
        entries = tuple(_checked(ToolEntry, e, path / "tools.yaml") for e in listed)
        return cls(
            name=path.parent.name,
            version=path.name,
            path=path,
            digest=_digest(path),
            system_prompt=read_text(path / "system-prompt.md", ConfigError),
            config=config,
            entries=entries,
            examples=_examples(path / "examples.yaml", {e.name for e in entries}),
        )

    def environment(self) -> Environment:
        """A new environment of the configured class. Raises `ConfigError` where it has none."""
        where = str(self.path / "config.yaml")
        module, _, name = self.config.environment.partition(":")
        try:
            made: Environment = getattr(importlib.import_module(module), name)()
        except (ImportError, AttributeError, ValueError) as error:
            raise ConfigError(
                f"environment {self.config.environment!r} cannot be loaded: {error}",
                where=where,
                remedy="write it as module:Class",
            ) from None
        return made

    def tools(self, environment: Environment) -> list[Tool]:
        """The environment's tools that this version may use, in its order.

        Raises `ConfigError` for a tool that the environment does not have.
        """
        offered = {tool.name: tool for tool in environment.tools()}
        for entry in self.entries:
            if entry.name not in offered:
                near = difflib.get_close_matches(entry.name, offered, 1)
                raise ConfigError(
                    f"unknown tool {entry.name!r}",
                    where=str(self.path / "tools.yaml"),
                    remedy=f"did you mean {near[0]!r}?"
                    if near
                    else f"there are {', '.join(offered)}",
                )
        return [offered[entry.name] for entry in self.entries]

    def approval_names(self, tools: list[Tool]) -> frozenset[str]:
        """The tools that need approval: what the version says, else what the tool says."""
        said = {e.name: e.needs_approval for e in self.entries if e.needs_approval is not None}
        return frozenset(t.name for t in tools if said.get(t.name, t.needs_approval))

    def approval_rules(self, tools: list[Tool]) -> ApprovalRules:
        """Which calls of its tools need a person. Raises `ConfigError` for a rule of a tool, or on
        an argument, that is not there."""
        rules = ApprovalRules(self.approval_names(tools), self.config.approvals)
        rules.check(tools, str(self.path / "config.yaml"))
        return rules


def _examples(path: Path, tools: set[str]) -> tuple[Example, ...]:
    """The examples that the model is shown; a version without the file has none."""
    if not path.exists():
        return ()
    listed = _yaml(path)
    if listed is not None and not isinstance(listed, list):
        raise ConfigError("must be a list of examples", where=str(path))
    examples = tuple(_checked(Example, entry, path) for entry in listed or ())
    for step in (step for example in examples for step in example.steps):
        if step.action not in tools and step.action != ANSWER:
            raise ConfigError(
                f"an example calls {step.action!r}, which is no tool of this version",
                where=str(path),
                remedy=f"there are {', '.join(sorted(tools))} and {ANSWER}",
            )
    return examples


def _digest(path: Path) -> str:
    """SHA-256 over the files that decide behaviour, with their names; README is not one."""
    sum_ = hashlib.sha256()
    for name in DECIDING_FILES:
        file = path / name
        body = file.read_bytes() if file.exists() else b""
        sum_.update(f"{name}\0{len(body)}\0".encode() + body)
    return sum_.hexdigest()


def _yaml(path: Path) -> Any:
    return parse_yaml(read_text(path, ConfigError), path, ConfigError)[0]


def _checked(model: type[M], value: Any, path: Path) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = faults_of(error, value, model)[0]
        raise ConfigError(first.said("content"), where=str(path), remedy=first.remedy) from None
