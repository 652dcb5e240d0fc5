"""Runs a pattern on an agent version's model: `python -m goldspan.harness.patterns --help`."""

from __future__ import annotations

import argparse
import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.ledger import Ledger, default_url
from goldspan.harness.models.live import LiveModel
from goldspan.harness.operation.scrubbing import scrub_events
from goldspan.harness.patterns.long_memory import Memory, session
from goldspan.harness.patterns.orchestrator import Specialist, orchestrate
from goldspan.harness.patterns.passages import Index, search_tool
from goldspan.harness.patterns.plan_and_execute import plan_and_execute
from goldspan.harness.patterns.retrieval import answer_from
from goldspan.harness.patterns.routing import COMPUTE, COMPUTER, route
from goldspan.harness.patterns.team import Team
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices, prices_path

PATTERNS = ("plan-and-execute", "orchestrator", "retrieval", "long-memory", "routing")


async def run(pattern: str, team: Team, task: str, index: Index, memory: Path) -> Any:
    """One pattern on one task; returns what its function returns."""
    if pattern == "plan-and-execute":
        return await plan_and_execute(team, task, (search_tool(index), COMPUTE))
    if pattern == "orchestrator":
        reader = Specialist("You answer from what you find.", (search_tool(index),))
        return await orchestrate(
            team, task, {"reader": reader, "computer": Specialist(COMPUTER, (COMPUTE,))}
        )
    if pattern == "retrieval":
        return await answer_from(team, task, index)
    if pattern == "routing":
        return await route(team, task, index)
    kept = Memory(memory)
    try:
        return await session(team, "You help one person over many days.", task, kept)
    finally:
        kept.close()


def main() -> None:
    """Read the command line, run the pattern, print its result as JSON."""
    parser = argparse.ArgumentParser(prog="python -m goldspan.harness.patterns")
    parser.add_argument("pattern", choices=PATTERNS)
    parser.add_argument("agent", type=Path, help="an agent version's folder: model and contract")
    parser.add_argument("task")
    parser.add_argument("--documents", type=Path, help="a folder of *.md files to search")
    parser.add_argument("--model", help="provider:name; default: the version's")
    parser.add_argument("--base-url", help="any OpenAI-compatible server")
    parser.add_argument("--store", type=Path, default=Path(".goldspan/goldspan.duckdb"))
    given = parser.parse_args()
    files = sorted(given.documents.glob("*.md")) if given.documents else []
    index = Index({file.stem: file.read_text(encoding="utf-8") for file in files})
    version = AgentVersion.load(given.agent)
    model = LiveModel.make(given.model or version.config.model, base_url=given.base_url)
    with instrument(store=given.store, service_name=version.name) as telemetry:
        workspace, prices = given.store.parent / "workspaces", Prices.load(prices_path(given.store))
        ledger = Ledger(default_url(given.store), scrub=scrub_events(given.store))
        team = Team(version, model, telemetry.recorder, workspace, prices, ledger=ledger)
        memory = given.store.parent / "memory.sqlite"
        result = asyncio.run(run(given.pattern, team, given.task, index, memory))
        ledger.close()
        telemetry.deliver(remedy="mend that and run again")
    index.close()
    print(json.dumps(asdict(result), default=str, ensure_ascii=False, indent=2))


if __name__ == "__main__":
    main()
