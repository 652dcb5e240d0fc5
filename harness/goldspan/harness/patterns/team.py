"""Who runs in a pattern: agents with prompts and tools of their own, on one model and budget."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from goldspan.harness.agents.version import AgentConfig, AgentVersion, ToolEntry
from goldspan.harness.approvals import Approver
from goldspan.harness.ledger import Ledger
from goldspan.harness.models.gateway import Model
from goldspan.harness.operation.attended import attended
from goldspan.harness.patterns.budget import SharedBudget
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.tools import Tool
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder


@dataclass(frozen=True)
class Toolbox:
    """An environment of the tools given, without a world of its own."""

    held: tuple[Tool, ...]

    def tools(self) -> Sequence[Tool]:
        """The tools given."""
        return self.held

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        """An empty folder."""
        workspace.mkdir(parents=True, exist_ok=True)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        """Nothing: the tools keep what they have."""
        return {}


@dataclass(frozen=True)
class Team:
    """Agents that are made of one version: its model, settings, tool mode and contract. They share
    one ledger: caps, breakers and kill flags hold over all of them."""

    base: AgentVersion
    model: Model
    recorder: Recorder
    workspace: Path
    prices: Prices = field(default_factory=Prices)
    approver: Approver | None = None
    ledger: Ledger = field(default_factory=Ledger)

    def budget(self) -> SharedBudget:
        """The base version's contract, for one task of the whole team."""
        return SharedBudget(self.base.config.contract)

    async def run(
        self,
        role: str,
        prompt: str,
        task: str,
        *,
        budget: SharedBudget,
        tools: Sequence[Tool] = (),
        share: float = 1.0,
        trusted: bool = True,
    ) -> RunResult:
        """One agent on one task, a run of its own within whatever span is open.

        `trusted` is False for a task that holds what agents wrote after they had read anything:
        it is untrusted text then, also where the version trusts its user. Raises `Ended` where the
        budget has nothing left, and what `run_agent` raises.
        """
        digest = hashlib.sha256(f"{self.base.digest}\0{role}\0{prompt}".encode()).hexdigest()
        version = replace(
            self.base,
            name=f"{self.base.name}/{role}",
            digest=digest,
            config=self.base.config if trusted else _distrusting(self.base.config),
            system_prompt=prompt,
            entries=tuple(ToolEntry(name=tool.name) for tool in tools),
            examples=(),
        )
        contract, result = budget.reserve(share), None
        run_id = uuid.uuid4().hex
        try:
            with attended(self.ledger, run_id, version.name, digest, None) as own:
                own.result = result = await run_agent(
                    version,
                    task,
                    model=self.model,
                    recorder=self.recorder,
                    workspace=self.workspace / run_id,
                    environment=Toolbox(tuple(tools)),
                    run_id=run_id,
                    contract=contract,
                    approver=self.approver,
                    prices=self.prices,
                    life=own.life,
                )
        finally:
            budget.settle(contract, result.usage if result else None)
        return result


def _distrusting(config: AgentConfig) -> AgentConfig:
    safety = config.safety.model_copy(update={"trust_user": False})
    return config.model_copy(update={"safety": safety})
