"""`goldspan golden`: check, list and grow sets of golden cases."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from goldspan.cli.console import err, out, print_json
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

PathsArgument = Annotated[
    list[Path], typer.Argument(help="Files of cases (YAML, JSON lines), or folders of them.")
]


def register(app: typer.Typer) -> None:
    """Add the `golden` commands."""
    golden = typer.Typer(no_args_is_help=True, help="Check, list and grow sets of golden cases.")
    golden.command("validate")(validate)
    golden.command("list")(list_cases)
    golden.command("add")(add)
    app.add_typer(golden, name="golden")


def validate(
    paths: PathsArgument,
    tools: Annotated[
        str | None, typer.Option(help="The agent's tools, by commas: others are faults.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check cases: every fault with its file and line. Exit 2 where there is one."""
    from goldspan.golden import CaseErrors, load_cases, unknown_tools

    try:
        cases = load_cases(paths)
        faults = unknown_tools(cases, tools.split(",")) if tools else []
    except CaseErrors as error:
        faults = error.faults
    if as_json:
        print_json({"valid": not faults, "faults": [vars(fault) for fault in faults]})
    elif faults:
        for fault in faults:
            err.print(Text(str(fault)))
    else:
        waiting = sum(case.review for case in cases.cases)
        said = f", {waiting} to review" if waiting else ""
        out.print(Text(f"{len(cases.cases)} cases are valid{said}; digest {cases.digest[:12]}"))
    raise typer.Exit(2 if faults else 0)


def list_cases(
    paths: PathsArgument,
    tag: Annotated[list[str] | None, typer.Option(help="Only cases with one of these.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List cases with their tags and digests."""
    from goldspan.golden import load_cases

    cases = load_cases(paths).select(tags=tag or None)
    if as_json:
        print_json([{**case.model_dump(mode="json"), "digest": case.digest} for case in cases])
        return
    table = Table("case", "tags", "digest", "description")
    for case in cases:
        row = (case.id, ", ".join(case.tags), case.digest[:12], case.description)
        table.add_row(*map(Text, row))
    out.print(table)


def add(
    trace_id: Annotated[str, typer.Argument(help="The trace, or the beginning of its id.")],
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="Add it to this file; else it is printed.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
) -> None:
    """Turn a trace into a case for a person to edit."""
    from goldspan.golden.promotion import append_case, case_from_trace, case_yaml
    from goldspan.tracing.store import Store

    case = case_from_trace(Store.open(store, create=False), trace_id)
    if to is None:
        out.print(Text("cases:\n" + case_yaml(case)), end="")
        return
    append_case(to, case)
    out.print(
        Text(f"case {case.id} is in {to}, marked review: keep of its expectations what matters")
    )
