"""`goldspan agent check`: an agent version's grade by the production checklist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from goldspan.cli.console import out, print_json, tell_undelivered_once
from goldspan.cli.engine_place import EngineOption
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption
from goldspan.cli.suite_options import AgentOption

if TYPE_CHECKING:
    from goldspan.evals.maturity import Assessment

STYLES = {"Production": "bold green", "Beta": "bold cyan", "Internal": "bold yellow"}
BELOW = 1


def check(
    version: Annotated[str, typer.Argument(help="A version, a folder, or current.")] = "current",
    agent: AgentOption = None,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    at_least: Annotated[
        str | None,
        typer.Option(help="Exit 1 below this grade: production, beta or internal."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Grade an agent: Production, Beta, Internal or Don't ship, line by line with its evidence.

    The lines are those of docs/checklist.md. Exit codes: 0 graded, 1 below --at-least, 2 usage or
    bad input.
    """
    from pathlib import Path

    from goldspan.evals.maturity import GRADES, assess
    from goldspan.harness.agents.folder import AgentFolder
    from goldspan.tracing.errors import ConfigError

    wanted = {grade.lower(): place for place, grade in enumerate(GRADES) if place}
    if at_least is not None and at_least.lower() not in wanted:
        raise ConfigError(
            f"no grade {at_least!r}", where="--at-least", remedy=f"one of {', '.join(wanted)}"
        )
    folder = Path(version) if (Path(version) / "config.yaml").is_file() else None
    home = AgentFolder(folder.parent) if folder else AgentFolder.find(agent)
    tell_undelivered_once()
    found = assess(home, home.version(version), store, engine=engine)
    if as_json:
        print_json(found.to_json())
    else:
        _show(found)
    if at_least is not None and GRADES.index(found.grade) < wanted[at_least.lower()]:
        raise typer.Exit(BELOW)


def _show(found: Assessment) -> None:
    table = Table("", "line", "needed for", "evidence", title=f"{found.agent} {found.version}")
    for line, finding in found.findings:
        mark = Text("yes", style="green") if finding.met else Text("no", style="red")
        table.add_row(mark, Text(line.id), Text(line.needed), Text(finding.evidence))
    out.print(table)
    for line, finding in found.missing:
        out.print(Text(f"{line.needed} needs {line.id}: {finding.missing}"))
    style = STYLES.get(found.grade, "bold red")
    out.print(Text.assemble(f"{found.agent} {found.version}: ", (found.grade, style)))
