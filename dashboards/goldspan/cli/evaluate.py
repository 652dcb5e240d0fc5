"""`goldspan eval`: run a suite, compare with a baseline, and say it by the exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from goldspan.cli.console import err, out, tell_undelivered_once, write
from goldspan.cli.run import MODEL_HELP
from goldspan.cli.store import DEFAULT_STORE, StoreOption


def register(app: typer.Typer) -> None:
    """Add `goldspan eval`."""
    app.command("eval")(evaluate)


def evaluate(
    suite: Annotated[Path, typer.Argument(help="A suite.yaml, or the folder that has one.")],
    agent: Annotated[
        Path | None, typer.Option(help="An agent version's folder, or vX.Y.Z of the suite's agent.")
    ] = None,
    target: Annotated[str | None, typer.Option(help="A function, as module:callable.")] = None,
    store: StoreOption = DEFAULT_STORE,
    baseline: Annotated[
        str | None, typer.Option(help="A baseline file, or an experiment in the store.")
    ] = None,
    save_baseline: Annotated[
        Path | None, typer.Option(help="Write this experiment as a baseline file.")
    ] = None,
    repeats: Annotated[int | None, typer.Option(min=1, help="Runs of each case.")] = None,
    concurrency: Annotated[int | None, typer.Option(min=1, help="Runs at once.")] = None,
    case: Annotated[list[str] | None, typer.Option(help="Only these cases.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only cases with one of these.")] = None,
    margin: Annotated[
        float | None, typer.Option(min=0.0, max=1.0, help="Loss of pass rate that is tolerable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seeds the model's sampling.")] = 0,
    experiment: Annotated[str | None, typer.Option(help="The experiment's id.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what --experiment finished before.")
    ] = False,
    cassette: Annotated[Path | None, typer.Option(help="A file of recorded answers.")] = None,
    replay: Annotated[
        bool, typer.Option("--replay", help="Answer from the cassette only.")
    ] = False,
    record: Annotated[bool, typer.Option("--record", help="Record into the cassette.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Ask the model, record nothing.")] = False,
    model: Annotated[str | None, typer.Option(help=MODEL_HELP)] = None,
    base_url: Annotated[str | None, typer.Option(help="Any OpenAI-compatible server.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a summary for a CI job.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json-file", help="Write JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a suite and compare it with a baseline.

    Exit codes: 0 pass, 1 regression, 2 usage or bad input, 3 inconclusive, 4 could not measure.
    """
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from goldspan.evals.presentation import (
        render_json,
        render_junit,
        render_markdown,
        render_terminal,
    )
    from goldspan.evals.session import EvalOptions, EvalSession
    from goldspan.evals.suite import load_suite
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.files import check_target, write_text

    if sum((replay, record, live)) > 1:
        raise ConfigError("--replay, --record and --live exclude each other")
    mode = "record" if record else "live" if live else "replay" if replay or cassette else "live"
    options = EvalOptions(
        store=store,
        agent=agent,
        target=target,
        baseline=baseline,
        repeats=repeats,
        concurrency=concurrency,
        case_ids=tuple(case or ()),
        tags=tuple(tag or ()),
        margin=margin,
        seed=seed,
        experiment_id=experiment,
        resume=resume,
        cassette=cassette,
        mode=mode,
        model=model,
        base_url=base_url,
    )
    session = EvalSession(load_suite(suite), options)
    for file in filter(None, (save_baseline, junit, markdown, json_file)):
        check_target(file)  # before an hour of runs, not after it
    tell_undelivered_once()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[passed]} passed"),
    )
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(session.label, total=session.total, passed=0)
        passed = 0

        def said(run: object) -> None:
            nonlocal passed
            passed += bool(getattr(run, "passed", False))
            bar.update(task, advance=1, passed=passed)

        result = session.run(said)
    if save_baseline is not None:
        session.save_baseline(result.experiment, save_baseline)
    for path, render in ((junit, render_junit), (markdown, render_markdown)):
        if path is not None:
            write_text(path, render(result.gate))
    if json_file is not None:
        write_text(json_file, render_json(result.gate))
    if as_json:
        write(render_json(result.gate) + "\n")
    else:
        render_terminal(result.gate, out)
    raise typer.Exit(result.gate.exit_code)
