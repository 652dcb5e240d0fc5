"""`goldspan demo`: the whole loop on a real agent's recorded runs, in one folder."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from goldspan.cli.console import err, out, print_json
from goldspan.cli.store import JsonOption

if TYPE_CHECKING:
    from collections.abc import Callable

    from goldspan.cli.demo_folder import DemoFolder
    from goldspan.evals.gate import GateResult
    from goldspan.evals.monitors import CheckResult
    from goldspan.harness.result import RunResult

    Tick = Callable[[], None]

BASELINE = ("v1.0.0", 0)
CANDIDATES = (("v1.0.0", 1), ("v1.1.0", 0), ("v1.2.0", 0))
WHAT = {
    ("v1.0.0", 1): "the same agent, other recorded answers",
    ("v1.1.0", 0): "a prompt that was made quick and brief",
    ("v1.2.0", 0): "that prompt, mended",
}
QUEUE_SEED = 2


def register(app: typer.Typer) -> None:
    """Add `goldspan demo`."""
    app.command("demo")(demo)


def demo(
    directory: Annotated[
        Path, typer.Option("--dir", help="The folder that the demo works in.")
    ] = Path("goldspan-demo"),
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Remove an earlier demo's folder and start over.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """See the whole loop: an agent at work, a regression caught, a drift found, reports written.

    A support desk agent works through a queue and its golden suite, on answers that a small local
    model gave once: no key, no network, no cost. Exit 0 when all was measured, else 4.
    """
    from goldspan.cli.demo_folder import DemoFolder

    started = time.monotonic()
    say(Text.assemble(("goldspan demo", "bold"), f"  in {directory}"), as_json)
    folder = DemoFolder.prepare(directory, fresh=fresh)
    for line in _reuse(folder):
        say(Text(f"  {line}", style="dim"), as_json)

    found: dict[str, Any] = {"store": str(folder.store), "reused": folder.reused}
    runs = _work_queue(folder, as_json, found)
    gates = _evaluate(folder, as_json, found)
    check = _monitor(folder, as_json, found)
    files = _report(folder, runs, as_json, found)

    found["seconds"] = round(time.monotonic() - started, 1)
    if as_json:
        print_json(found)
    else:
        _tell(folder, gates, check, files, found)
    unmeasured = any(gate.verdict == "unmeasured" for gate in gates) or check.exit_code == 4
    raise typer.Exit(4 if unmeasured else 0)


def say(text: Text | str, quiet: bool) -> None:
    """Tell a person how far it is; machines that asked for JSON are told nothing."""
    if not quiet:
        out.print(text)


def _reuse(folder: DemoFolder) -> Iterator[str]:
    if not folder.reused:
        yield "new folder: agent, suite, queue and recorded answers copied"
        return
    yield "reused: the folder, its agent, suite, queue, recorded answers and store"
    yield "runs are made again and add to the store; --fresh starts over"
    if folder.changed:
        yield f"kept as you changed them: {', '.join(folder.changed[:5])}"


@contextmanager
def _progress(label: str, total: int, quiet: bool) -> Iterator[Tick]:
    """A bar on a terminal, a line at start elsewhere."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    if not quiet and not err.is_terminal:
        out.print(Text(f"  {label}: {total} runs ...", style="dim"))
    columns = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn())
    off = quiet or not err.is_terminal
    with Progress(
        *columns, TimeElapsedColumn(), console=err, transient=True, disable=off
    ) as progress:
        task = progress.add_task(label, total=total)
        yield lambda: progress.update(task, advance=1)


def _work_queue(folder: DemoFolder, quiet: bool, found: dict[str, Any]) -> list[RunResult]:
    """`v1.0.0` works through the queue; nobody is there to approve."""
    import asyncio
    from datetime import UTC, datetime

    from goldspan.harness.agents.version import AgentVersion
    from goldspan.harness.models.gateway import Mode, ModelGateway
    from goldspan.harness.operation.tasks import Worker, load_tasks
    from goldspan.tracing.instrument import instrument
    from goldspan.tracing.pricing import Prices, prices_path

    say("[bold]1[/] the agent works through a queue", quiet)
    tasks = load_tasks(folder.queue)
    version = AgentVersion.load(folder.agent(BASELINE[0]))
    gateway = ModelGateway.make(Mode.REPLAY, cassette=folder.cassette("queue"))
    batch = datetime.now(UTC).strftime("queue-%Y%m%dT%H%M%SZ")
    with (
        instrument(store=folder.store, service_name=version.name) as telemetry,
        _progress(f"{version.name} {version.version}", len(tasks), quiet) as tick,
    ):
        worker = Worker(
            version,
            gateway,
            telemetry.recorder,
            Prices.load(prices_path(folder.store)),
            folder.path / "workspaces",
        )
        runs = asyncio.run(
            worker.work_through(tasks, batch=batch, seed=QUEUE_SEED, done=lambda *_: tick())
        )
        telemetry.deliver(remedy="mend that and run the demo again")
    ends = {
        name: sum(r.outcome == name for r in runs) for name in sorted({r.outcome for r in runs})
    }
    counted = ", ".join(f"{number} {name}" for name, number in ends.items())
    say(f"  {len(runs)} tasks: {counted}; batch {batch}", quiet)
    found["queue"] = {"batch": batch, "outcomes": dict(ends)}
    return runs


def _evaluate(folder: DemoFolder, quiet: bool, found: dict[str, Any]) -> list[GateResult]:
    """The suite: a baseline, and three candidates against it."""
    from goldspan.evals.presentation import (
        render_json,
        render_junit,
        render_markdown,
        render_terminal,
    )
    from goldspan.evals.session import EvalOptions, EvalSession
    from goldspan.evals.suite import load_suite
    from goldspan.tracing.files import write_text

    say("[bold]2[/] its golden suite is the baseline for three candidates", quiet)
    suite = load_suite(folder.suite)
    gates = []
    found["evals"] = []
    for version, seed in (BASELINE, *CANDIDATES):
        name = f"{version}-seed-{seed}"
        candidate = (version, seed) != BASELINE
        session = EvalSession(
            suite,
            EvalOptions(
                store=folder.store,
                agent=folder.agent(version),
                baseline=str(folder.baseline) if candidate else None,
                seed=seed,
                cassette=folder.cassette(name),
                mode="replay",
            ),
        )
        with _progress(session.label, session.total, quiet) as tick:
            result = session.run(lambda _run, tick=tick: tick())  # type: ignore[misc]  # binds this loop's tick
        gate = result.gate
        gates.append(gate)
        if not candidate:
            session.save_baseline(result.experiment, folder.baseline)
        for suffix, render in (
            ("md", render_markdown),
            ("json", render_json),
            ("xml", render_junit),
        ):
            write_text(folder.reports / f"eval-{name}.{suffix}", render(gate))
        found["evals"].append(
            {
                "agent": version,
                "seed": seed,
                "experiment": gate.candidate.id,
                "exit_code": gate.exit_code,
                **gate.summary(),
            }
        )
        if quiet:
            continue
        if candidate:
            out.print(Text(f"  {version}: {WHAT[version, seed]}", style="dim"))
        render_terminal(gate, out, rows=6 if gate.verdict == "regression" else 0)
    return gates


def _monitor(folder: DemoFolder, quiet: bool, found: dict[str, Any]) -> CheckResult:
    """A fortnight of simulated traffic, by the OTLP road, and the monitors on it."""
    from goldspan.evals.monitors import check, emit_alerts, rules_beside
    from goldspan.harness.simulator import simulate
    from goldspan.tracing.store import Store

    say("[bold]3[/] monitors look over a fortnight of simulated traffic", quiet)
    store = Store.open(folder.store)
    sent = simulate(store)
    if sent.stored_spans:
        say(f"  {sent.runs} simulated runs stored, labelled as simulated", quiet)
    else:
        say(f"  reused: the {sent.runs} simulated runs that are in the store", quiet)
    result = check(
        store,
        rules_beside(folder.store),
        since=sent.started_at,
        until=sent.ended_at,
        simulated=True,
    )
    emit_alerts(store, result.findings)
    found["monitors"] = [finding.to_json() for finding in result.findings]
    for finding in result.findings:
        say(
            Text.assemble(("  fires: ", "bold red"), f"{finding.monitor}: {finding.explanation}"),
            quiet,
        )
    return result


def _report(
    folder: DemoFolder, runs: list[RunResult], quiet: bool, found: dict[str, Any]
) -> list[Path]:
    """A report on the batch, and one on a run that waits for a person, where there is one."""
    from goldspan.dashboards.reports import write_reports
    from goldspan.tracing.store import Store

    say("[bold]4[/] reports", quiet)
    store = Store.open(folder.store, create=False)
    waiting = next((run for run in runs if run.outcome == "paused"), runs[0])
    files = [
        *write_reports(store, batch=found["queue"]["batch"], out=folder.reports / "batch"),
        *write_reports(store, run_id=waiting.run_id, out=folder.reports / "run"),
    ]
    for file in files:
        say(Text(f"  {file}"), quiet)
    found["reports"] = [str(file) for file in files]
    return files


def _tell(
    folder: DemoFolder,
    gates: list[GateResult],
    check: CheckResult,
    files: list[Path],
    found: dict[str, Any],
) -> None:
    from goldspan.evals.presentation.words import percent, points

    out.print()
    out.print(Text("What was found", style="bold"))
    baseline, *candidates = gates
    out.print(Text(f"  baseline   v1.0.0  {percent(baseline.candidate.pass_rate)} of runs pass"))
    for (version, seed), gate in zip(CANDIDATES, candidates, strict=True):
        line = f"  {gate.verdict:<10} {version}  {WHAT[version, seed]}"
        if gate.comparison is not None:
            c = gate.comparison
            line += f": {points(c.effect)} ({points(c.low)} to {points(c.high)})"
        out.print(Text(line))
    for finding in check.findings:
        out.print(Text(f"  alert      {finding.monitor}  (simulated traffic)"))
    if not check.findings:
        out.print(Text("  no monitor fires"))
    out.print(f"\nStore      {folder.store}", markup=False)
    out.print(f"Reports    {files[0].parent.parent}", markup=False)
    command = [_program(), "dashboard", "--store", str(folder.store)]
    out.print(Text.assemble("Dashboard  ", (shlex.join(command), "bold")))
    out.print(Text(f"{found['seconds']:.0f} s, nothing was spent", style="dim"))


def _program() -> str:
    """How this program is called here: by its name where that finds it, else by its path."""
    called = Path(sys.argv[0])
    found = shutil.which("goldspan")
    if called.name != "goldspan" or (found and Path(found).resolve() == called.resolve()):
        return "goldspan"
    return os.path.relpath(called)
