"""`goldspan serve`: takes OTLP, answers queries, keeps the dashboard running."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from goldspan.cli.console import err, out
from goldspan.cli.engine_place import EngineOption
from goldspan.cli.store import DEFAULT_STORE, StoreOption

if TYPE_CHECKING:
    from starlette.routing import Route

    from goldspan.tracing.server.children import ChildCommand


def register(app: typer.Typer) -> None:
    """Add the command `serve`."""
    app.command()(serve)


def serve(
    store: StoreOption = DEFAULT_STORE,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="OTLP/HTTP and queries; 0 takes any free port.")
    ] = 4318,
    grpc_port: Annotated[
        int, typer.Option(min=0, max=65535, help="OTLP/gRPC; 0 takes any free port.")
    ] = 4317,
    no_grpc: Annotated[bool, typer.Option("--no-grpc", help="No OTLP/gRPC.")] = False,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="GOLDSPAN_TOKEN", help="Every client must send it; needed beyond this machine."
        ),
    ] = None,
    admin_token: Annotated[
        str | None,
        typer.Option(envvar="GOLDSPAN_ADMIN_TOKEN", help="Opens admin jobs from elsewhere."),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A further name that queries may call this server by.")
    ] = None,
    cors_origin: Annotated[
        list[str] | None, typer.Option(help="Pages of this origin may send telemetry.")
    ] = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard/--no-dashboard", help="Keep the dashboard running.")
    ] = True,
    dashboard_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The dashboard's port on this machine.")
    ] = 8501,
    memory_mb: Annotated[
        int | None, typer.Option(min=100, help="DuckDB's memory, for ingestion and queries.")
    ] = None,
    query_rows: Annotated[
        int | None, typer.Option(min=1, help="At most so many rows answer one query.")
    ] = None,
    query_seconds: Annotated[
        float | None, typer.Option(min=0.1, help="A query that takes longer is ended.")
    ] = None,
    queue_mb: Annotated[
        int | None, typer.Option(min=1, help="At most so much waits; then senders must retry.")
    ] = None,
    triggers: Annotated[
        Path | None, typer.Option(help="A file of triggers: a POST to /trigger/NAME starts a run.")
    ] = None,
    trigger_token: Annotated[
        str | None,
        typer.Option(envvar="GOLDSPAN_TRIGGER_TOKEN", help="Who starts runs must send it."),
    ] = None,
    engine: EngineOption = None,
) -> None:
    """Take OTLP over HTTP and gRPC into a store, and answer every other command on it."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # see tracing/server/memory.py
    from dataclasses import replace

    from goldspan.tracing.errors import ConfigError

    try:
        from goldspan.tracing.server.options import MIB, Limits, ServerOptions
        from goldspan.tracing.server.serving import serve as run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "goldspan":
            raise
        raise ConfigError(
            f"the server needs {error.name}, which is not installed",
            remedy="pip install 'goldspan[server]'",
        ) from error

    given: dict[str, Any] = {
        "memory_bytes": memory_mb * MIB if memory_mb else None,
        "query_rows": query_rows,
        "query_s": query_seconds,
        "queue_bytes": queue_mb * MIB if queue_mb else None,
    }
    options = ServerOptions(
        store=store,
        host=host,
        port=port,
        grpc_port=None if no_grpc else grpc_port,
        token=token or None,
        admin_token=admin_token or None,
        allowed_hosts=tuple(allow_host or ()),
        cors_origins=tuple(cors_origin or ()),
        limits=replace(Limits(), **{name: v for name, v in given.items() if v is not None}),
    )
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    routes = [_trigger_route(triggers, trigger_token, store, engine)] if triggers else []
    child, page = _dashboard(store, dashboard_port) if dashboard else (None, None)

    def started(url: str, grpc: int | None) -> None:
        out.print(f"Goldspan serves [bold]{store}[/] (process {os.getpid()}); Ctrl-C stops it")
        out.print(f"OTLP/HTTP and queries: {url}")
        if grpc is not None:
            out.print(f"OTLP/gRPC: {host}:{grpc}")
        if page is not None:
            out.print(f"dashboard: {page}")
        if triggers:
            out.print(f"triggers: {url}/trigger/… (POST, with the trigger token)")
        if token:
            out.print("every client must send the token: Authorization: Bearer …")
        elif options.is_loopback:
            out.print("reachable from this machine only; queries need the store's path or a token")
        sys.stdout.flush()

    run(options, child=child, started=started, routes=routes)


def _trigger_route(triggers: Path, token: str | None, store: Path, engine: str | None) -> Route:
    """The endpoint that starts runs. Raises ConfigError without a token of its own."""
    from goldspan.harness.engine import EngineConfig
    from goldspan.harness.ledger import default_url
    from goldspan.harness.operation.intake import load_triggers
    from goldspan.harness.operation.scrubbing import scrub_events
    from goldspan.harness.operation.trigger_endpoint import TriggerEndpoint

    url = engine or default_url(store)
    return TriggerEndpoint(
        EngineConfig(url), load_triggers(triggers), token or "", scrub_events(store)
    ).route()


def _dashboard(store: Path, port: int) -> tuple[ChildCommand | None, str | None]:
    """The dashboard's command and address; its absence is said and stops nothing."""
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.server.children import ChildCommand

    try:
        from goldspan.dashboards import server
    except ModuleNotFoundError as error:
        err.print(f"no dashboard: it needs {error.name} (pip install 'goldspan\\[dashboard]')")
        return None, None
    try:
        free = server.check_port(port)
    except ConfigError as error:
        err.print(f"no dashboard: {error.message}; --dashboard-port chooses another")
        return None, None
    argv = [sys.executable, "-m", "goldspan.dashboards.child", str(store.resolve()), str(free)]
    return ChildCommand("dashboard", argv), server.url(free)
