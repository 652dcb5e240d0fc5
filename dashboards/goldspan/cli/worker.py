"""`goldspan enqueue` and `goldspan worker`: runs that survive their process."""

from __future__ import annotations

import re
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from goldspan.cli.console import err, print_json
from goldspan.cli.engine_place import EngineOption
from goldspan.cli.ledger import send_audit
from goldspan.cli.run import MODEL_HELP, SESSION_HELP
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

POLL_S = 0.25  # how soon it is seen that the worker shall stop, or that nothing is left


def register(app: typer.Typer) -> None:
    """Add `goldspan enqueue` and `goldspan worker`."""
    app.command("enqueue")(enqueue)
    app.command("worker")(worker)


def enqueue(
    agent: Annotated[Path, typer.Argument(help="An agent version's folder, or the agent's.")],
    queue: Annotated[
        Path, typer.Option("--queue", "-q", help="A file of tasks, YAML or JSON lines.")
    ],
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    batch: Annotated[
        str | None,
        typer.Option(help="Name of this intake; a name made of the tasks if not given."),
    ] = None,
    session: Annotated[str | None, typer.Option(help=SESSION_HELP)] = None,
    seed: Annotated[int, typer.Option(help="Seeds the model's sampling.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Put the tasks of a file into the queue, for `goldspan worker` to run.

    A task of the same id in the same batch is one run, however often it is enqueued: without
    --batch, the same file twice is one intake.
    """
    from goldspan.harness.agents.version import AgentVersion
    from goldspan.harness.engine import EngineConfig, OutsideEngine
    from goldspan.harness.ledger import Ledger, default_url
    from goldspan.harness.operation.durable import batch_of, specs_of
    from goldspan.harness.operation.intake import tell_queued
    from goldspan.harness.operation.scrubbing import scrub_events
    from goldspan.harness.operation.tasks import in_session, load_tasks

    tasks = in_session(load_tasks(queue), session)
    version = AgentVersion.load(agent)
    batch = batch or batch_of(tasks)
    url = engine or default_url(store)
    specs = specs_of(version, tasks, batch=batch, seed=seed)
    with closing(Ledger(url, scrub=scrub_events(store))) as ledger:
        with OutsideEngine(EngineConfig(url)) as outside:
            new = set(outside.enqueue(specs))
        tell_queued(ledger, specs, "file")
        send_audit(ledger, store)
    if as_json:
        runs = [{"task": t.id, "run_id": s.run_id} for t, s in zip(tasks, specs, strict=True)]
        print_json({"batch": batch, "agent": version.name, "runs": runs})
        return
    known = f", {len(specs) - len(new)} were there already" if len(new) < len(specs) else ""
    err.print(Text(f"batch {batch}: {len(specs)} runs of {version.name} are in the queue{known}"))


def worker(
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    model: Annotated[str | None, typer.Option(help=MODEL_HELP)] = None,
    base_url: Annotated[str | None, typer.Option(help="Any OpenAI-compatible server.")] = None,
    cassette: Annotated[Path | None, typer.Option(help="A file of recorded answers.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Runs at once.")] = 4,
    workspaces: Annotated[
        Path | None,
        typer.Option(help="The runs' folders; beside the store if not given. Workers share it."),
    ] = None,
    rate: Annotated[
        str | None,
        typer.Option(help="At most so many runs start in a time, over all workers: 30/1m, 5/10s."),
    ] = None,
    schedules: Annotated[
        Path | None,
        typer.Option(help="Cron schedules, a file; those of an earlier file no longer hold."),
    ] = None,
    deliver: Annotated[
        list[str] | None,
        typer.Option(
            help="Where results of runs go that end from now on: file:FOLDER, an https:// address"
            " (a webhook), or outbox (an event in the store). May be given several times."
        ),
    ] = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when no run is queued or under way.")
    ] = False,
) -> None:
    """Run what is in the queue, until it is told to stop (SIGTERM, Ctrl-C).

    A worker that dies is no loss: the next one goes on with its runs from their last step. One
    worker at a time works on SQLite; on PostgreSQL as many as there are.
    """
    import signal
    import time
    from functools import partial

    from goldspan.harness.agents.version import AgentVersion
    from goldspan.harness.drill import NAME as DRILL
    from goldspan.harness.drill import drill_gateway
    from goldspan.harness.engine import EngineConfig, apply_schedules
    from goldspan.harness.ledger import Ledger, default_url
    from goldspan.harness.models.gateway import Mode, ModelChoice, ModelGateway
    from goldspan.harness.models.routing import RoutedModels
    from goldspan.harness.operation.delivery import Delivery, target_of
    from goldspan.harness.operation.durable import SpecRunner
    from goldspan.harness.operation.intake import load_schedules
    from goldspan.harness.operation.outbox import drain
    from goldspan.harness.operation.scrubbing import scrub_ended, scrub_events
    from goldspan.harness.operation.worker import WorkerProcess
    from goldspan.tracing.instrument import instrument
    from goldspan.tracing.pricing import Prices, prices_path
    from goldspan.tracing.redaction import Policy, policy_path

    mode = Mode.LIVE if cassette is None else Mode.REPLAY
    known: dict[str, ModelGateway] = {}

    def gateway_of(version: AgentVersion) -> ModelGateway:
        if version.name == DRILL:  # what practises the kill switch asks no model
            return drill_gateway()
        routing = version.config.routing if model is None else None
        name = ModelChoice.of(version.config, model, base_url=base_url).address(base_url)
        key = name if routing is None else version.digest
        if key not in known:
            known[key] = ModelGateway.make(
                mode,
                cassette=cassette,
                model=name if routing is None else None,
                base_url=base_url,
                routes=None if routing is None else partial(RoutedModels.live, routing, base_url),
            )
        return known[key]

    # No Event: its lock may be held by the very code that the signal interrupts.
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: told.append(number))
    provider, _, name = (model or "").rpartition(":")
    config = EngineConfig(
        engine or default_url(store), concurrency=concurrency, rate=_rate(rate) if rate else None
    )
    due = load_schedules(schedules) if schedules is not None else None
    targets = [target_of(text) for text in deliver or ()]
    ledger = Ledger(config.url, scrub=scrub_events(store))
    with instrument(store=store, service_name="goldspan-worker") as telemetry:
        runner = SpecRunner(
            gateway_of,
            telemetry.recorder,
            Prices.load(prices_path(store)),
            (workspaces or store.parent / "workspaces").absolute(),
            model_name=name or None,
            provider=provider or None,
        )
        delivery = Delivery(
            ledger,
            targets,
            lambda run_id: process.engine.delivered(run_id),
            hurries=lambda: process.hurries(),
        )

        def send_events() -> None:
            drain(ledger, lambda: instrument(store=store, service_name="goldspan-worker"))

        def scrub() -> None:
            scrub_ended(ledger, lambda: Policy.load(policy_path(store)), process.engine)

        chores = [delivery.once, send_events, scrub]
        process = WorkerProcess(config, runner, ledger=ledger, chores=chores)
        delivery.begin()
        with process:
            err.print(Text(f"worker {process.id[:12]} takes runs from {process.place}"))
            for target in targets:
                err.print(Text(f"results go to {target.name}"))
            if due is not None:
                apply_schedules(due)
                err.print(Text(f"{len(due)} schedules hold: {', '.join(s.name for s in due)}"))
            while not told:
                time.sleep(POLL_S)
                if until_idle and not told:
                    process.sweep()  # what was decided meanwhile is work that is left
                    if process.engine.idle():
                        break
        telemetry.deliver(remedy="mend that; the runs themselves are safe in the engine's database")


def _rate(text: str) -> tuple[int, float]:
    """So many runs, in so many seconds."""
    from goldspan.tracing.errors import ConfigError

    found = re.fullmatch(r"([1-9]\d{0,5})/(\d{0,5})([smh])", text.strip())
    seconds = int(found[2] or 1) * {"s": 1, "m": 60, "h": 3600}[found[3]] if found else 0
    if not found or not seconds:
        raise ConfigError(f"{text!r} is no rate", where="--rate", remedy="give 30/1m, or 5/10s")
    return int(found[1]), float(seconds)
