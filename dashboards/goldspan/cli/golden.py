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
    """Check cases: every fault with its file and line. Exit 2 where there is one.

    Cases that wait for a person's review are warned about, and are no fault.
    """
    from goldspan.golden import Fault, read_cases, unknown_tools

    cases, faults = read_cases(paths)
    if tools is not None:
        faults += unknown_tools(cases, [name.strip() for name in tools.split(",")])
    warnings = [
        Fault(each.path, each.line(("review",)), f"{each.case.id}: waits for review", each.case.id)
        for each in cases.placed
        if each.case.review
    ]
    if as_json:
        print_json(
            {
                "valid": not faults,
                "cases": len(cases.cases),
                "digest": None if faults else cases.digest,
                "faults": [vars(fault) for fault in faults],
                "warnings": [vars(warning) for warning in warnings],
            }
        )
    else:
        for fault in faults:
            err.print(Text(str(fault)))
        for warning in warnings:
            err.print(Text(f"warning: {warning}", style="yellow"))
        if faults:
            err.print(Text(f"{_counted(len(faults), 'fault')}", style="bold red"))
        else:
            said = f"{_counted(len(cases.cases), 'case')}, no fault; digest {cases.digest[:12]}"
            out.print(Text(said))
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
    table = Table()
    for column in ("case", "tags", "expects", "digest", "description"):
        table.add_column(column, overflow="fold", no_wrap=column == "digest")
    for case in cases:
        expects = " or ".join(case.expect.outcomes)
        row = (case.id, ", ".join(case.tags), expects, case.digest[:12], case.description)
        table.add_row(*map(Text, row))
    out.print(table)
    out.print(_counted(len(cases), "case"))


def add(
    trace_id: Annotated[str, typer.Argument(help="The trace, or the beginning of its id.")],
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="Add it to this file; else it is printed.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Turn a trace into a case for a person to edit. A file only grows: nothing is overwritten."""
    from goldspan.golden.promotion import case_from_trace
    from goldspan.golden.writing import append_case, case_yaml
    from goldspan.tracing.store import Store

    case = case_from_trace(Store.open(store, create=False), trace_id)
    if to is not None:
        append_case(to, case)
    if as_json:
        file = None if to is None else str(to)
        shown = case.model_dump(mode="json", exclude_defaults=True)
        print_json({"file": file, "digest": case.digest, "case": shown})
    elif to is None:
        out.print(Text("cases:\n" + case_yaml(case)), end="")
    else:
        out.print(
            Text(f"case {case.id} is in {to}, marked review: keep of its expectations what matters")
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
