"""`goldspan prune`, `goldspan reprice`, `goldspan backup`: looking after a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from goldspan.cli.console import err, out, print_json
from goldspan.cli.engine_place import EngineOption
from goldspan.cli.ledger import opened_ledger, send_audit
from goldspan.cli.period import TIME_HELP, moment_of
from goldspan.cli.plurals import counted
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from goldspan.harness.operation.retention import EnginePruned

MIB = 2**20
SHOWN_MODELS = 10


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("prune")(prune)
    app.command("reprice")(reprice)
    app.command("backup")(backup)


def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", help=f"Traces whose last activity is before: {TIME_HELP}")
    ],
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    keep_failed: Annotated[
        bool, typer.Option("--keep-failed", help="Traces with an error stay, whole.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would go.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Remove old traces and their log records, and what durable runs that ended before that left
    in the engine's database; give the disk back.

    What stays is copied into a new file, which then takes the old one's place: there must be room
    for it. A kill in the middle loses nothing.
    """
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.store import Store

    before = moment_of(older_than, "--older-than")
    if before is None:
        raise ConfigError("is empty", where="--older-than", remedy=f"give {TIME_HELP}")
    opened = Store.open(store, create=False)
    with _progress("pruning", hidden=as_json) as told:
        done = opened.prune(before, keep_failed=keep_failed, dry_run=dry_run, progress=told)
    runs = _prune_engine(store, engine, before.timestamp(), dry_run)
    if as_json:
        durable = {"engine": asdict(runs)} if runs is not None else {}
        print_json({"store": str(opened.path), "dry_run": dry_run, **asdict(done), **durable})
        return
    verb = "would go" if dry_run else "removed"
    spans, events = counted(done.removed_spans, "span"), counted(done.removed_events, "event")
    gone = f"{counted(done.removed_traces, 'trace')} with {spans} and {events} {verb}"
    stays = counted(done.kept_traces, "trace")
    out.print(Text(f"{gone}; {stays} {'stays' if done.kept_traces == 1 else 'stay'}"))
    if not dry_run:
        sizes = f"{done.bytes_before / MIB:.1f} MB before, {done.bytes_after / MIB:.1f} MB now"
        out.print(Text(f"{opened.path}: {sizes}"))
    if runs is not None:
        out.print(Text(f"{runs.runs} ended runs {verb} from the engine's database"))


def reprice(store: StoreOption = DEFAULT_STORE, as_json: JsonOption = False) -> None:
    """Price every stored call anew, by the price lists of today."""
    from goldspan.tracing.store import Store

    opened = Store.open(store, create=False)
    with _progress("pricing", hidden=as_json) as told:
        done = opened.reprice(progress=told)
    unpriced: list[dict[str, Any]] = [
        {"provider": provider, "model": model, "calls": calls}
        for (provider, model), calls in done.unpriced.items()
    ]
    if as_json:
        print_json(
            {
                "store": str(opened.path),
                "calls": done.calls,
                "changed": done.changed,
                "unpriced": unpriced,
            }
        )
        return
    out.print(Text(f"{counted(done.calls, 'call')}, {done.changed:,} with another price now"))
    for row in unpriced[:SHOWN_MODELS]:
        name = f"{row['provider'] or 'unknown provider'}, {row['model'] or 'unknown model'}"
        err.print(Text(f"no price: {name} ({counted(row['calls'], 'call')})"))
    if len(unpriced) > SHOWN_MODELS:
        more = counted(len(unpriced) - SHOWN_MODELS, "more model")
        err.print(Text(f"no price: {more} (--json has all)"))
    if unpriced:
        err.print(Text("a prices.yaml beside the store can name them (docs/pricing.md)"))


def backup(
    file: Annotated[Path, typer.Argument(help="The new file; it must not exist.")],
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Copy the store as of one moment; the copy appears whole or not at all."""
    from goldspan.tracing.store import Store

    opened = Store.open(store, create=False)
    size = opened.backup(file)
    if as_json:
        print_json({"store": str(opened.path), "file": str(file), "bytes": size})
        return
    out.print(Text(f"{file}  {size / MIB:.1f} MB"))


def _prune_engine(
    store: Path, engine: str | None, before: float, dry_run: bool
) -> EnginePruned | None:
    """None where no durable runs are: most stores are of agents that have none."""
    from goldspan.harness.ledger import default_url

    if engine is None and not Path(default_url(store).removeprefix("sqlite:///")).exists():
        return None
    from goldspan.harness.engine import EngineConfig, OutsideEngine
    from goldspan.harness.operation.retention import prune_engine
    from goldspan.harness.operation.scrubbing import scrub_ended
    from goldspan.tracing.redaction import Policy, policy_path

    with opened_ledger(store, engine) as ledger:
        done = prune_engine(ledger, before, dry_run=dry_run)
        if not dry_run:
            send_audit(ledger, store)
            with OutsideEngine(EngineConfig(ledger.database.url)) as outside:
                scrub_ended(ledger, lambda: Policy.load(policy_path(store)), outside)
    return done


@contextmanager
def _progress(what: str, *, hidden: bool) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn(what), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=hidden) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
