"""Joins the command modules and turns every failure into one line and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from importlib.metadata import version as installed_version
from typing import Annotated

import typer
from rich.text import Text

from goldspan.cli.console import err, out

COMMANDS = (
    "goldspan.cli.store",
    "goldspan.cli.importing",
    "goldspan.cli.score",
    "goldspan.cli.serve",
    "goldspan.cli.upkeep",
    "goldspan.cli.run",
    "goldspan.cli.replay",
    "goldspan.cli.incident",
    "goldspan.cli.worker",
    "goldspan.cli.approvals",
    "goldspan.cli.autonomy",
    "goldspan.cli.kill",
    "goldspan.cli.runs",
    "goldspan.cli.golden",
    "goldspan.cli.evaluate",
    "goldspan.cli.label",
    "goldspan.cli.agent",
    "goldspan.cli.bisect",
    "goldspan.cli.monitor",
    "goldspan.cli.report",
    "goldspan.cli.dashboard",
    "goldspan.cli.demo",
)

app = typer.Typer(
    name="goldspan",
    help="The flight recorder and the test bench for LLM agents.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        out.print(f"goldspan {installed_version('goldspan')}")
        raise typer.Exit


@app.callback()
def _root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version and exit.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """The flight recorder and the test bench for LLM agents."""


for _name in COMMANDS:
    importlib.import_module(_name).register(app)


def main() -> None:
    """Run the command line.

    Exit codes: 0 pass, 1 regression or monitor firing, 2 usage or bad input, 3 inconclusive,
    4 could not measure or internal error. An uncaught exception exits 4, never 1.
    """
    try:
        code = app(standalone_mode=False)
    except BaseException as error:  # noqa: BLE001  the boundary: one line and an exit code
        sys.exit(_told(_first(error)))
    sys.exit(code if isinstance(code, int) else 0)


def _told(error: BaseException) -> int:
    """Say what went wrong in one line; returns the exit code."""
    from goldspan.tracing.errors import GoldspanError

    if os.environ.get("GOLDSPAN_DEBUG") == "1":
        traceback.print_exception(error)
    if isinstance(error, GoldspanError):
        _print("error", str(error))
        return error.exit_code
    if isinstance(error, typer.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):  # the reader of our output has gone
        return 0 if error.code in (None, 1) else 4
    if isinstance(error, typer.Abort | KeyboardInterrupt):
        _print("error", "interrupted")
        return 130
    if isinstance(error, typer.TyperException):
        _print("error", f"{error.format_message()} (see --help)")
        return 2
    if isinstance(error, BrokenPipeError):
        _drop_output()
        return 0
    if isinstance(error, OSError):
        if not error.filename:
            _drop_output()
        name = error.filename or "standard output"
        _print("error", f"{name}: {error.strerror or error}")
        return 2
    what = " ".join(f"{type(error).__name__}: {error}".split())
    _print("internal error", f"{what} (GOLDSPAN_DEBUG=1 shows where; please report it)")
    return 4


def _drop_output() -> None:
    """What is still buffered for an output that takes no more would fail again at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _first(error: BaseException) -> BaseException:
    """Tasks that run side by side fail as a group; one line is about the first of them."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _print(kind: str, message: str) -> None:
    err.print(Text.assemble((f"{kind}: ", "bold red"), message))
