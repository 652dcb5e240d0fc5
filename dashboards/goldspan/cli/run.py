"""`goldspan run`: an agent version on one task, or through a queue of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from goldspan.cli.console import err, out, print_json, tell_undelivered_once
from goldspan.cli.engine_place import EngineOption
from goldspan.cli.ledger import send_audit
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

SESSION_HELP = "The conversation that the tasks belong to: what it answered before is told them."
MODEL_HELP = "A live model: openai:NAME, anthropic:NAME, or a NAME at --base-url."


def register(app: typer.Typer) -> None:
    """Add `goldspan run`."""
    app.command("run")(run)


def run(
    agent: Annotated[Path, typer.Argument(help="An agent version's folder, or the agent's.")],
    task: Annotated[str | None, typer.Argument(help="What is asked of the agent.")] = None,
    queue: Annotated[
        Path | None, typer.Option("--queue", "-q", help="A file of tasks, YAML or JSON lines.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    batch: Annotated[str | None, typer.Option(help="Name of this intake in the store.")] = None,
    model: Annotated[str | None, typer.Option(help=MODEL_HELP)] = None,
    base_url: Annotated[str | None, typer.Option(help="Any OpenAI-compatible server.")] = None,
    cassette: Annotated[Path | None, typer.Option(help="A file of recorded answers.")] = None,
    record: Annotated[bool, typer.Option("--record", help="Record into the cassette.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Ask the model, record nothing.")] = False,
    session: Annotated[str | None, typer.Option(help=SESSION_HELP)] = None,
    seed: Annotated[int, typer.Option(help="Seeds the model's sampling.")] = 0,
    concurrency: Annotated[int, typer.Option(min=1, help="Runs at once.")] = 2,
    as_json: JsonOption = False,
) -> None:
    """Run an agent version on one task, or through a queue of them.

    Limits that hold over all runs (caps, stops, breakers) are those of the engine's database, which
    workers use too. A run that would have to wait for a person ends here; in the queue it waits.

    With a cassette and neither --record nor --live, recorded answers are replayed. Exit 0 when
    every run has ended, however it ended; a missing answer, an unreachable model or a store that
    did not take the runs exits 4.
    """
    import asyncio
    from contextlib import aclosing, closing
    from dataclasses import asdict
    from datetime import UTC, datetime
    from functools import partial

    from goldspan.harness.agents.version import AgentVersion
    from goldspan.harness.ledger import Ledger, default_url
    from goldspan.harness.models.gateway import Mode, ModelChoice, ModelGateway
    from goldspan.harness.models.routing import RoutedModels
    from goldspan.harness.operation.scrubbing import scrub_ended, scrub_events
    from goldspan.harness.operation.tasks import Task, Worker, in_session, load_tasks
    from goldspan.harness.result import RunResult
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.instrument import instrument
    from goldspan.tracing.pricing import Prices, prices_path
    from goldspan.tracing.redaction import Policy, policy_path

    if (task is None) == (queue is None):
        raise ConfigError("give one task, or --queue FILE")
    if record and live:
        raise ConfigError("--record and --live exclude each other")
    tasks = load_tasks(queue) if queue is not None else [Task(id="task", input=task or "")]
    tasks = in_session(tasks, session)
    version = AgentVersion.load(agent)
    mode = Mode.RECORD if record else Mode.LIVE if live or cassette is None else Mode.REPLAY
    choice = ModelChoice.of(version.config, model, base_url=base_url)
    routing = version.config.routing if model is None else None
    gateway = ModelGateway.make(
        mode,
        cassette=cassette,
        model=None if routing is not None else choice.address(base_url),
        base_url=base_url,
        routes=None if routing is None else partial(RoutedModels.live, routing, base_url),
        redaction=Policy.load(policy_path(store)),
    )
    batch = batch or datetime.now(UTC).strftime("batch-%Y%m%dT%H%M%SZ")

    def said(done: Task, result: RunResult) -> None:
        if not as_json:
            err.print(Text(f"{result.outcome:9} {done.id}  {result.reason or ''}".rstrip()))

    tell_undelivered_once()
    with (
        closing(Ledger(engine or default_url(store), scrub=scrub_events(store))) as ledger,
        instrument(store=store, service_name=version.name) as telemetry,
    ):
        worker = Worker(
            version,
            gateway,
            telemetry.recorder,
            Prices.load(prices_path(store)),
            store.parent / "workspaces",
            model_name=None if routing is not None else choice.name,
            provider=None if routing is not None else choice.provider,
            ledger=ledger,
        )

        async def work() -> list[RunResult]:
            async with aclosing(gateway):
                return await worker.work_through(
                    tasks, batch=batch, concurrency=concurrency, seed=seed, done=said
                )

        results = asyncio.run(work())
        telemetry.deliver(remedy="mend that and run again")
        send_audit(ledger, store)
        scrub_ended(ledger, lambda: Policy.load(policy_path(store)))
    if as_json:
        rows = [{"task": t.id, **asdict(r)} for t, r in zip(tasks, results, strict=True)]
        print_json({"batch": batch, "store": str(store), "runs": rows})
        return
    table = Table("task", "outcome", "tool calls", "tokens", "answer", title=f"batch {batch}")
    for done, result in zip(tasks, results, strict=True):
        row = (done.id, result.outcome, str(len(result.steps)), str(result.usage.tokens))
        table.add_row(*map(Text, row), Text((result.answer or result.reason or "")[:80]))
    out.print(table)
