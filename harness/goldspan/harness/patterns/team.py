"""Who runs in a pattern: agents with prompts and tools of their own, on one model and budget."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from goldspan.harness.agents.version import AgentVersion, ToolEntry
from goldspan.harness.approvals import Approver
from goldspan.harness.models.gateway import Model
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
    """Agents that are made of one version: its model, settings, tool mode and contract."""

    base: AgentVersion
    model: Model
    recorder: Recorder
    workspace: Path
    prices: Prices = field(default_factory=Prices)
    approver: Approver | None = None

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
    ) -> RunResult:
        """One agent on one task, a run of its own within whatever span is open.

        Raises `Ended` where the budget has nothing left, and what `run_agent` raises.
        """
        digest = hashlib.sha256(f"{self.base.digest}\0{role}\0{prompt}".encode()).hexdigest()
        version = replace(
            self.base,
            name=f"{self.base.name}/{role}",
            digest=digest,
            system_prompt=prompt,
            entries=tuple(ToolEntry(name=tool.name) for tool in tools),
            examples=(),
        )
        contract, result = budget.reserve(share), None
        run_id = uuid.uuid4().hex
        try:
            result = await run_agent(
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
            )
        finally:
            budget.settle(contract, result.usage if result else None)
        return result
