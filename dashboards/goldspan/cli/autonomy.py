"""`goldspan autonomy`: which calls people always approve unchanged, and which they do not."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from goldspan.cli.console import out, print_json
from goldspan.cli.period import TIME_HELP, moment_of
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from goldspan.evals.autonomy import ToolHistory
    from goldspan.evals.statistics import Estimate


def register(app: typer.Typer) -> None:
    """Add the `autonomy` command."""
    app.command("autonomy")(autonomy)


def autonomy(
    store: StoreOption = DEFAULT_STORE,
    since: Annotated[
        str | None, typer.Option(help=f"Only what was asked since: {TIME_HELP}")
    ] = None,
    at_least: Annotated[
        float,
        typer.Option(min=0.5, max=0.999, help="The share approved unchanged of a candidate."),
    ] = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Report, from history, which calls people always approve unchanged, and which not.

    A tool is a candidate to loosen where the lower end of the exact 95 % interval of that share
    reaches --at-least; it changes nothing by itself.
    """
    from goldspan.evals.autonomy import autonomy as report
    from goldspan.tracing.store import Store

    opened = Store.open(store, create=False)
    found = report(opened, since=moment_of(since, "--since"), at_least=at_least)
    if as_json:
        print_json([asdict(each) for each in found])
        return
    if not found:
        out.print("no call of real traffic was decided by a person, or let go by a rule")
        return
    table = Table(
        "agent", "tool", "decided", "unchanged", "edited", "denied", "let go", "advice", "why"
    )
    for each in found:
        row = (
            each.agent,
            each.tool,
            f"{each.decided} by {each.reviewers}",
            _share(each.unchanged),
            str(each.edited),
            str(each.denied),
            str(each.let_go),
            each.advice,
            _why(each, at_least),
        )
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    out.print(table)


def _share(estimate: Estimate | None) -> str:
    if estimate is None:
        return "—"
    return f"{estimate.estimate:.0%} ({estimate.low:.1%} to {estimate.high:.1%})"


def _why(each: ToolHistory, at_least: float) -> str:
    if each.advice == "tighten":
        return f"of calls let go and looked at, {_share(each.right)} were right"
    if each.advice == "loosen":
        return f"surely at least {at_least:.0%} are approved unchanged"
    if each.advice == "loosen below" and each.bound is not None:
        bound = each.bound
        return f"{bound.argument} up to {bound.limit:g}: {_share(bound.unchanged)}"
    if each.unchanged is None:
        return "no person was asked"
    if each.advice == "keep":
        return "people change or deny too many"
    if each.needed is None:
        return "the history is too short"
    return f"{each.needed} more in a row, approved unchanged, would make it a candidate"
