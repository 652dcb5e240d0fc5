"""`goldspan enqueue` and `goldspan worker`: runs that survive their process."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from goldspan.cli.console import err, print_json
from goldspan.cli.run import MODEL_HELP
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        envvar="GOLDSPAN_ENGINE",
        help="Where durable runs live: sqlite:///FILE or postgresql://…; a file beside the store"
        " if not given.",
    ),
]


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
    seed: Annotated[int, typer.Option(help="Seeds the model's sampling.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Put the tasks of a file into the queue, for `goldspan worker` to run.

    A task of the same id in the same batch is one run, however often it is enqueued: without
    --batch, the same file twice is one intake.
    """
    from goldspan.harness.durable import batch_of, specs_of
    from goldspan.harness.engine import EngineConfig, enqueue_from_outside
    from goldspan.harness.ledger import Ledger, default_url
    from goldspan.harness.tasks import load_tasks
    from goldspan.harness.versions import AgentVersion

    tasks = load_tasks(queue)
    version = AgentVersion.load(agent)
    batch = batch or batch_of(tasks)
    url = engine or default_url(store)
    Ledger(url).close()
    ids = enqueue_from_outside(EngineConfig(url), specs_of(version, tasks, batch=batch, seed=seed))
    if as_json:
        runs = [{"task": task.id, "run_id": run} for task, run in zip(tasks, ids, strict=True)]
        print_json({"batch": batch, "agent": version.name, "runs": runs})
        return
    err.print(Text(f"batch {batch}: {len(ids)} runs of {version.name} are in the queue"))


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
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when no run is queued or under way.")
    ] = False,
) -> None:
    """Run what is in the queue, until it is told to stop (SIGTERM, Ctrl-C).

    A worker that dies is no loss: the next one goes on with its runs from their last step. One
    worker at a time works on SQLite; on PostgreSQL as many as there are.
    """
    import signal
    import threading
    from functools import partial

    from goldspan.harness.durable import SpecRunner
    from goldspan.harness.engine import EngineConfig
    from goldspan.harness.ledger import Ledger, default_url
    from goldspan.harness.model import Mode, ModelGateway
    from goldspan.harness.outbox import drain
    from goldspan.harness.routing import RoutedModels
    from goldspan.harness.versions import AgentVersion
    from goldspan.harness.worker import WorkerProcess
    from goldspan.tracing.instrument import instrument
    from goldspan.tracing.pricing import Prices, prices_path

    mode = Mode.LIVE if cassette is None else Mode.REPLAY
    known: dict[str, ModelGateway] = {}

    def gateway_of(version: AgentVersion) -> ModelGateway:
        routing = version.config.routing if model is None else None
        name = model or version.config.model
        key = name if routing is None else version.digest
        if key not in known:
            known[key] = ModelGateway.make(
                mode,
                cassette=cassette,
                model=name if routing is None else None,
                base_url=base_url,
                routes=None if routing is None else partial(RoutedModels.live, routing),
            )
        return known[key]

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    provider, _, name = (model or "").rpartition(":")
    config = EngineConfig(engine or default_url(store), concurrency=concurrency)
    with instrument(store=store, service_name="goldspan-worker") as telemetry:
        runner = SpecRunner(
            gateway_of,
            telemetry.recorder,
            Prices.load(prices_path(store)),
            (workspaces or store.parent / "workspaces").absolute(),
            model_name=name or None,
            provider=provider or None,
        )
        ledger = Ledger(config.url)

        def send_events() -> None:
            drain(ledger, lambda: instrument(store=store, service_name="goldspan-worker"))

        with WorkerProcess(config, runner, ledger=ledger, chores=[send_events]) as process:
            err.print(Text(f"worker {process.id[:12]} takes runs from {process.place}"))
            while not stop.wait(0.5):
                if until_idle:
                    process.sweep()  # what was decided meanwhile is work that is left
                    if process.engine.idle():
                        break
        telemetry.deliver(remedy="mend that; the runs themselves are safe in the engine's database")
