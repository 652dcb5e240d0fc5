"""A result in the terminal: the verdict first, then the cases that flipped, worst first."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from goldspan.evals.gate import GateResult
from goldspan.evals.presentation.words import evidence, headline, means, percent

COLOURS = {
    "pass": "bold green",
    "measured": "bold cyan",
    "regression": "bold red",
    "inconclusive": "bold yellow",
    "unmeasured": "bold magenta",
}
MOST_ROWS = 15
MOST_CHARS = 120


def render_terminal(result: GateResult, console: Console, *, rows: int = MOST_ROWS) -> None:
    """Print a result, with at most so many cases that changed."""
    console.print(Text(headline(result), style=COLOURS[result.verdict]))
    for sentence in (*evidence(result), *means(result)):
        console.print(Text(f"  {sentence}"))
    if result.flipped and rows:
        console.print(_flipped(result, rows))
    console.print(Text(f"  experiment {result.candidate.id}", style="dim"))


def _flipped(result: GateResult, rows: int) -> Table:
    table = Table("case", "was", "is", "first diverging step", title="cases that changed")
    for change in result.flipped[:rows]:
        where = Text("")
        if change.divergence is not None:
            d = change.divergence
            where = Text(f"step {d.step}: {_short(d.baseline)}\n     → {_short(d.candidate)}")
        row = (percent(change.baseline), percent(change.candidate))
        table.add_row(Text(change.case_id), *map(Text, row), where)
    more = len(result.flipped) - rows
    if more > 0:
        table.caption = f"and {more} more"
    return table


def _short(step: str) -> str:
    return step if len(step) <= MOST_CHARS else f"{step[: MOST_CHARS - 1]}…"
