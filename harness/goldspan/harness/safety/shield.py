"""What an agent version switches on against injected text: `safety` in its `config.yaml`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from goldspan.harness.guards.chain import Guard
from goldspan.harness.guards.egress import EgressGuard, FieldKind
from goldspan.harness.guards.injection import Foreign, InjectionGuard
from goldspan.harness.safety.marking import MarkStyle, note
from goldspan.harness.safety.provenance import Provenance
from goldspan.harness.tools import Tool
from goldspan.tracing.errors import ConfigError


class InjectionPolicy(BaseModel):
    """The settings of `InjectionGuard`, by the same names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    free: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    content: dict[str, tuple[str, ...]] = {}
    constants: dict[str, tuple[Any, ...]] = {}
    foreign: Foreign = "pause"


class EgressPolicy(BaseModel):
    """The settings of `EgressGuard`, by the same names."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = ()
    email_domains: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("http", "https", "mailto")
    fields: dict[str, dict[str, FieldKind]] = {}

    @field_validator("hosts", "email_domains")
    @classmethod
    def _are_hosts(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        try:
            EgressGuard(hosts=[entry.rpartition("@")[2] for entry in entries])
        except ConfigError as error:
            raise ValueError(f"{error.message}; {error.remedy}") from None
        return entries

    def guard(self) -> EgressGuard:
        """The guard with these settings."""
        return EgressGuard(self.hosts, self.email_domains, self.schemes, self.fields)


class Safety(BaseModel):
    """What is on; without any of it, nothing is, and requests are as they were.

    `trust_user` says that the task is written by somebody who may decide what the agent does, as
    in a queue that staff fills; else it is untrusted text like any other.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mark: MarkStyle | None = None
    injection: InjectionPolicy | None = None
    egress: EgressPolicy | None = None
    trust_user: bool = False

    def start(
        self,
        record: Callable[[str, Mapping[str, Any]], object] | None = None,
        earlier: str | None = None,
    ) -> Shield:
        """What one run needs of this, beginning with nothing read."""
        watched = self.mark is not None or self.injection is not None
        return Shield(self, Provenance(self.mark, record) if watched else None, earlier)


@dataclass(frozen=True)
class Shield:
    """The safety of one run. `provenance` is None where the version has switched nothing on;
    `earlier` is what the run is told of earlier ones, before its task: untrusted, whoever asks."""

    safety: Safety
    provenance: Provenance | None
    earlier: str | None = None

    def guards(self) -> tuple[Guard, ...]:
        """The guards that are on. Egress first: what it denies, no person need be asked about."""
        found: list[Guard] = []
        if self.safety.egress is not None:
            found.append(self.safety.egress.guard())
        if self.safety.injection is not None and self.provenance is not None:
            policy = self.safety.injection
            found.append(
                InjectionGuard(
                    policy.free,
                    policy.grants,
                    policy.content,
                    policy.constants,
                    policy.foreign,
                    self.provenance,
                )
            )
        return tuple(found)

    def prompt(self, system_prompt: str) -> str:
        """The system prompt, with what the marks mean where text is marked."""
        if self.safety.mark is None:
            return system_prompt
        return f"{system_prompt.strip()}\n\n{note(self.safety.mark)}"

    def task(self, text: str) -> str:
        """The task as the model is to read it, after what it is told of earlier runs."""
        before = self.earlier
        if self.provenance is not None:
            if before is not None:
                before = self.provenance.tell(before, "session", trusted=False)
            text = self.provenance.tell(text, "user", trusted=self.safety.trust_user)
        return text if before is None else f"{before}\n\nAsked now:\n{text}"

    def document(self, text: str) -> str:
        """Text of unknown origin, as the model is to read it."""
        if self.provenance is None:
            return text
        return self.provenance.tell(text, "document", trusted=False)

    def result(self, tool: Tool | None, text: str) -> str:
        """A tool's result as the model is to read it."""
        return text if self.provenance is None else self.provenance.tool_result(tool, text)
