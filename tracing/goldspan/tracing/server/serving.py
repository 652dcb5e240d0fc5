"""One server from start to end: the owner, the committing thread, the endpoints, the child."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

import uvicorn
from starlette.routing import Route

from goldspan.tracing.errors import ConfigError, StoreError
from goldspan.tracing.server.access_control import AccessControl
from goldspan.tracing.server.admin import Workshop
from goldspan.tracing.server.app import Parts, application
from goldspan.tracing.server.bodies import Budget
from goldspan.tracing.server.children import Child, ChildCommand
from goldspan.tracing.server.commits import Committer
from goldspan.tracing.server.memory import bound_memory
from goldspan.tracing.server.metrics import Metrics
from goldspan.tracing.server.options import ServerOptions
from goldspan.tracing.server.otlp_grpc import OtlpGrpc
from goldspan.tracing.server.otlp_http import OtlpHttp
from goldspan.tracing.server.owner import owning
from goldspan.tracing.server.queries import Queries
from goldspan.tracing.store.address import Address, remove_address, start_time, write_address

_log = logging.getLogger(__name__)
# Decoding makes millions of small objects and no cycles: looking for these at the usual rate takes
# an eighth of the time.
_GARBAGE = (2_000_000, 20, 100)
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its own handling of signals: ours stops all parts in their order."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def serve(
    options: ServerOptions,
    *,
    child: ChildCommand | None = None,
    started: Callable[[str, int | None], None],
    routes: Sequence[Route] = (),
) -> None:
    """Serve until SIGTERM or SIGINT, then stop taking, commit what waits, and leave the store.

    `started` is told the HTTP address and the gRPC port once both answer. `routes` are served
    beside the server's own, and look after their own tokens. Raises ConfigError for
    a port that is taken, OwnedError if another server owns the store, StoreError for the file.
    """
    listener = _listening(options)
    with listener, owning(options.store, options.limits) as owner, ExitStack() as stack:
        bound_memory(options.limits.memory_bytes + options.limits.more_bytes)
        gc.set_threshold(*_GARBAGE)
        metrics = Metrics()
        committer = Committer(owner, metrics, options.limits)
        control = AccessControl(options)
        budget = Budget(options.limits.receiving_bytes)
        metrics.watch("receiving_bytes", "Bytes of bodies in the making.", lambda: budget.used)
        otlp = OtlpHttp(committer, control, metrics, budget, options.limits)
        parts = Parts(
            options=options,
            control=control,
            committer=committer,
            queries=Queries(owner, options.limits),
            workshop=Workshop(owner, committer),
            metrics=metrics,
            budget=budget,
            otlp=otlp,
            more_routes=tuple(routes),
        )
        grpc_server = None
        if options.grpc_port is not None:
            grpc_server = OtlpGrpc(options, committer, control, metrics)
        committer.start()
        stack.callback(committer.stop)
        stack.callback(otlp.close)
        if grpc_server is not None:
            grpc_server.start()
            stack.callback(grpc_server.stop, options.limits.stopping_s)
        address = _address(options, listener, control)
        stack.callback(remove_address, owner.path)
        supervised = Child(child, metrics.children.inc) if child is not None else None

        def ready() -> None:
            write_address(owner.path, address)
            started(address.url, grpc_server.port if grpc_server else None)
            if supervised is not None:
                supervised.start()
                stack.callback(supervised.stop)

        asyncio.run(_run(parts, listener, ready))


async def _run(parts: Parts, listener: socket.socket, ready: Callable[[], None]) -> None:
    limits = parts.options.limits
    config = uvicorn.Config(
        application(parts),
        http="auto",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=limits.connections,
        timeout_graceful_shutdown=int(limits.stopping_s),
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = _Uvicorn(config)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        _log.info("stopping: what was taken is committed first")
        server.should_exit = True

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop)
    running = asyncio.ensure_future(server.serve(sockets=[listener]))
    while not server.started and not running.done():
        await asyncio.sleep(0.01)
    try:
        if not running.done():
            ready()
    except BaseException:
        server.should_exit = True
        raise
    finally:
        await running


def _listening(options: ServerOptions) -> socket.socket:
    """The HTTP port, taken before anything else: a wrong one costs no wait for the store."""
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
        listener.listen(256)
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"port {options.port} of {options.host} cannot be listened on: {error.strerror}",
            where="--port",
            remedy="stop what uses it, or choose another; goldspan serve uses 4318 and 4317",
        ) from error
    return listener


def _address(options: ServerOptions, listener: socket.socket, control: AccessControl) -> Address:
    pid = os.getpid()
    started = start_time(pid)
    if started is None:
        raise StoreError("the system does not tell when this process started")
    host = _ANY.get(options.host, options.host)
    host = f"[{host}]" if ":" in host else host
    return Address(
        url=f"http://{host}:{listener.getsockname()[1]}",
        pid=pid,
        started=started,
        token=control.local_token,
        admin_token=control.local_admin_token,
    )
