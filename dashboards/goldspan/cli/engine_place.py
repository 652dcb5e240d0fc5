"""Where durable runs live, as commands are told, and what the shell may complete there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from goldspan.cli.ledger import opened_ledger
from goldspan.cli.store import DEFAULT_STORE

if TYPE_CHECKING:
    from goldspan.harness.ledger import Ledger

EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        envvar="GOLDSPAN_ENGINE",
        help="Where durable runs live: sqlite:///FILE or postgresql://…; a file beside the store"
        " if not given.",
    ),
]
NameOption = Annotated[
    str | None, typer.Option("--as", help="Your name, for the record; this user's if not given.")
]


def who(name: str | None) -> str:
    """The name given, else that of this process's user."""
    from goldspan.harness.agents.promotion_log import who as user

    return name if name is not None else user()


def complete_agents(context: typer.Context, incomplete: str) -> list[str]:
    """The agents that have runs here, for the shell."""
    from goldspan.harness.operation.kill import KillSwitch

    with _known(context) as ledger:
        names = KillSwitch(ledger).known_agents() if ledger else []
    return [name for name in names if name.startswith(incomplete)]


def complete_runs(context: typer.Context, incomplete: str) -> list[str]:
    """The runs that have not ended, for the shell."""
    from goldspan.harness.operation.run_list import listed

    with _known(context) as ledger:
        runs = listed(ledger, ended_within_s=0) if ledger else []
    return [run.run_id for run in runs if run.run_id.startswith(incomplete)]


@contextmanager
def _known(context: typer.Context) -> Iterator[Ledger | None]:
    """The ledger that the line so far names; None where there is none: the shell is not told."""
    from goldspan.tracing.errors import GoldspanError

    store = context.params.get("store") or os.environ.get("GOLDSPAN_STORE") or DEFAULT_STORE
    engine = context.params.get("engine") or os.environ.get("GOLDSPAN_ENGINE")
    try:
        with opened_ledger(Path(store), engine) as ledger:
            yield ledger
    except GoldspanError:
        yield None
