"""`goldspan dashboard`: opens the pages on a store."""

from __future__ import annotations

from typing import Annotated

import typer

from goldspan.cli.console import out


def register(app: typer.Typer) -> None:
    """Add the command `dashboard`."""
    app.command()(dashboard)


def dashboard(
    store: Annotated[
        str,
        typer.Option("--store", envvar="GOLDSPAN_STORE", help="The store to show."),
    ] = ".goldspan/goldspan.duckdb",
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port on this machine; 0 takes any.")
    ] = 8501,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser window.")
    ] = True,
) -> None:
    """Open the dashboard on a store, for this machine only (127.0.0.1)."""
    from goldspan.tracing.errors import ConfigError

    try:
        from goldspan.dashboards import server
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "goldspan":
            raise
        raise ConfigError(
            f"the dashboard needs {error.name}, which is not installed",
            remedy="pip install 'goldspan[dashboard]'",
        ) from error

    found = server.check_store(store)
    free = server.check_port(port)
    out.print(f"Goldspan dashboard: [bold]{server.url(free)}[/]")
    out.print(f"store {found}; Ctrl-C stops it")
    server.serve(found, free, open_browser=browser)
