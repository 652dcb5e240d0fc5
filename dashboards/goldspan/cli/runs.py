"""`goldspan runs`: what runs, what waits, and for whom."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from goldspan.cli.console import err, out, print_json
from goldspan.cli.engine_place import (
    EngineOption,
    complete_agents,
    complete_runs,
)
from goldspan.cli.ledger import opened_ledger
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from goldspan.harness.operation.run_list import ListedRun

STYLES = {
    "running": "green",
    "queued": "cyan",
    "waiting": "yellow",
    "killed": "bold red",
    "failed": "red",
    "aborted": "red",
}
_STATES = ("queued", "running", "waiting", "ended")


def register(app: typer.Typer) -> None:
    """Add `goldspan runs`."""
    app.command("runs")(runs)


def runs(
    run: Annotated[
        str | None, typer.Argument(help="Only this run.", autocompletion=complete_runs)
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(help="queued, running, waiting or ended.", autocompletion=lambda: _STATES),
    ] = None,
    agent: Annotated[
        str | None, typer.Option(help="Only this agent.", autocompletion=complete_agents)
    ] = None,
    batch: Annotated[str | None, typer.Option(help="Only this intake.")] = None,
    hours: Annotated[
        float, typer.Option(min=0, help="Runs that ended within so many hours are shown too.")
    ] = 24.0,
    most: Annotated[int, typer.Option("--max", min=1, help="At most so many of each.")] = 200,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what runs, what waits and for whom, what is queued, and what is stopped."""
    from goldspan.harness.engine import EngineConfig, OutsideEngine
    from goldspan.harness.operation.attended import end_gone
    from goldspan.harness.operation.kill import KillSwitch
    from goldspan.harness.operation.run_list import ListedRun, listed

    with opened_ledger(store, engine) as ledger:
        end_gone(ledger)
        flags = KillSwitch(ledger).flags()
        found = listed(
            ledger,
            agent=agent,
            batch=batch,
            run_id=run,
            state=state,
            ended_within_s=hours * 3600 if run is None else ledger.clock(),
            most=most,
            flags=flags,
        )
        if state in (None, "queued"):
            started = {each.run_id for each in found}
            with OutsideEngine(EngineConfig(ledger.database.url)) as outside:
                queued = outside.queued(run_id=run, most=most)
            found += [
                ListedRun(each.run_id, each.agent, "queued", batch=each.batch, at=each.at)
                for each in queued
                if each.run_id not in started
                and agent in (None, each.agent)
                and batch in (None, each.batch)
            ]
        now = ledger.clock()
    if as_json:
        print_json({"stopped": [vars(flag) for flag in flags], "runs": [vars(r) for r in found]})
        return
    for flag in flags:
        told = f"stopped: {flag.scope}, {_ago(now - flag.at)} by {flag.by}: {flag.reason}"
        err.print(Text(told, style="bold red"))
    if run is not None and found:
        _show_one(found[0])
        return
    _show(found, now)


def _show(found: list[ListedRun], now: float) -> None:
    table = Table(header_style="bold", show_lines=False)
    for name in ("run", "agent", "state", "since", "waits for"):
        table.add_column(name, overflow="fold")
    for run in found:
        table.add_row(
            Text(run.run_id),
            Text(run.agent),
            _state(run),
            Text(_ago(now - run.at) if run.at else ""),
            Text(run.whom or (run.why or "")[:80]),
        )
    if found:
        out.print(table)
    counts = {name: sum(run.state == name for run in found) for name in _STATES}
    out.print(Text(", ".join(f"{count} {name}" for name, count in counts.items())))


def _show_one(run: ListedRun) -> None:
    for name, value in _said(run).items():
        if value is not None:
            out.print(Text.assemble((f"{name:12}", "bold"), str(value)))


def _said(run: ListedRun) -> dict[str, Any]:
    return {
        "run": run.run_id,
        "agent": run.agent,
        "state": _state(run),
        "waits for": run.waits_for,
        "who": run.whom,
        "why": run.why,
        "batch": run.batch,
        "segment": run.segment or None,
        "tokens": run.tokens,
        "cost": None if run.usd is None else f"${run.usd:.4f}",
        "started": _time(run.started_at),
        "changed": _time(run.at),
    }


def _state(run: ListedRun) -> Text:
    word = run.outcome if run.outcome and run.state in ("ended", "waiting") else run.state
    return Text(word, style=STYLES.get(word, ""))


def _time(at: float | None) -> str | None:
    return None if at is None else f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ago(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"
