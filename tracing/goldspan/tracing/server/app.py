"""The HTTP application: OTLP, queries, admin jobs, health and metrics."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import IO, Any

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from goldspan.tracing.errors import ConfigError, GoldspanError, InputError, StoreError
from goldspan.tracing.server.access_control import AccessControl, tokens_in
from goldspan.tracing.server.admin import JOBS, Workshop
from goldspan.tracing.server.bodies import Budget, TooLargeError, received
from goldspan.tracing.server.commits import Committer
from goldspan.tracing.server.metrics import Metrics
from goldspan.tracing.server.options import MIB, ServerOptions
from goldspan.tracing.server.otlp_http import OtlpHttp
from goldspan.tracing.server.queries import (
    Queries,
    QueryRequest,
    QueryStoppedError,
    QueryTooBusyError,
)
from goldspan.tracing.server.queueing import QueueFullError, StoppingError
from goldspan.tracing.store.remote import MORE_HEADER
from goldspan.tracing.validation import faults_of

ARROW_STREAM = "application/vnd.apache.arrow.stream"
_ASKED_BYTES = 16 * MIB
_CHUNK = 256 * 1024
_CORS_HEADERS = (
    "authorization",
    "content-type",
    "content-encoding",
    "x-api-key",
    "x-goldspan-token",
)


@dataclass(frozen=True)
class Parts:
    """What the application stands on."""

    options: ServerOptions
    control: AccessControl
    committer: Committer
    queries: Queries
    workshop: Workshop
    metrics: Metrics
    budget: Budget
    otlp: OtlpHttp
    more_routes: tuple[Route, ...] = ()


class _Forbidden(ConfigError):
    """Refused before anything was looked at."""

    def __init__(self, code: int, message: str, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


def application(parts: Parts) -> Starlette:
    """The Starlette application."""
    endpoints = _Endpoints(parts)
    middleware = []
    if parts.options.cors_origins:
        middleware.append(
            Middleware(
                CORSMiddleware,
                allow_origins=parts.options.cors_origins,
                allow_methods=("POST",),
                allow_headers=_CORS_HEADERS,
            )
        )
    routes = [
        Route("/healthz", endpoints.health, methods=["GET"]),
        Route("/metrics", endpoints.exposition, methods=["GET"]),
        Route("/query", endpoints.query, methods=["POST"]),
        Route("/admin/{job}", endpoints.admin, methods=["POST"]),
        *parts.more_routes,
        *parts.otlp.routes(),
    ]
    return Starlette(routes=routes, middleware=middleware)


class _Endpoints:
    """Everything but OTLP. Problems are JSON, as the client's errors are made of."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        limits = parts.options.limits
        # More threads than queries may run: who waits for a place must not keep admin jobs out.
        self._workers = ThreadPoolExecutor(limits.queries * 4, thread_name_prefix="goldspan-query")

    async def health(self, request: Request) -> Response:
        """200 while commits work; 503 and why, when the last one failed and a new one fails."""
        committer = self._parts.committer
        if committer.problem is not None:
            try:
                probe = asyncio.wrap_future(committer.probe())
                await asyncio.wait_for(asyncio.shield(probe), 5)
            except Exception as error:  # noqa: BLE001  whatever it is, the store cannot be written
                reason = committer.problem or str(error)
                return JSONResponse({"status": "failing", "reason": reason}, status_code=503)
        return JSONResponse({"status": "ok"})

    async def exposition(self, request: Request) -> Response:
        """Prometheus' text format. With a --token it is asked for here too."""
        control = self._parts.control
        if not control.is_known_host(request.headers.get("host", "")):
            return PlainTextResponse("unknown host\n", status_code=403)
        if not control.may_send(tokens_in(request.headers.items())):
            return PlainTextResponse("a token is needed\n", status_code=401)
        return PlainTextResponse(self._parts.metrics.text(), media_type="text/plain; version=0.0.4")

    async def query(self, request: Request) -> Response:
        """Rows as Arrow; see `Queries`."""
        control = self._parts.control
        try:
            tokens = self._checked(request)
            if not control.may_query(tokens):
                raise _Forbidden(401, "a token is needed to query", "set GOLDSPAN_TOKEN")
            asked = await self._asked(request)
            unlimited = control.may_administer(tokens)
            spool, more = await asyncio.get_running_loop().run_in_executor(
                self._workers, lambda: self._parts.queries.run(asked, unlimited=unlimited)
            )
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001  every failure is told to the asker
            return self._problem("query", error)
        self._parts.metrics.requests.labels("query", "200").inc()
        headers = {MORE_HEADER: "1" if more else "0"}
        return StreamingResponse(_chunks(spool), media_type=ARROW_STREAM, headers=headers)

    async def admin(self, request: Request) -> Response:
        """Do an admin job and say what it did."""
        try:
            if not self._parts.control.may_administer(self._checked(request)):
                raise _Forbidden(401, "admin work needs the admin token", "ask whoever runs serve")
            job = JOBS.get(request.path_params["job"])
            if job is None:
                raise InputError("no such job", where=request.url.path, remedy=", ".join(JOBS))
            body = await self._body(request)
            arguments = json.loads(body or b"{}")
            if not isinstance(arguments, dict):
                raise InputError("arguments are a JSON object", where="body")
            done = await asyncio.get_running_loop().run_in_executor(
                self._workers, job, self._parts.workshop, arguments
            )
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001  every failure is told to the asker
            return self._problem("admin", error)
        self._parts.metrics.requests.labels("admin", "200").inc()
        return JSONResponse(done)

    def _checked(self, request: Request) -> list[str]:
        """The tokens given. Raises if a browser asks on behalf of somebody else's page."""
        control = self._parts.control
        if not control.is_known_host(request.headers.get("host", "")):
            raise _Forbidden(403, "the Host header names another server", "give serve --allow-host")
        if not control.is_known_origin(request.headers.get("origin")):
            raise _Forbidden(403, "pages of this origin may not ask", "give serve --cors-origin")
        return tokens_in(request.headers.items())

    async def _asked(self, request: Request) -> QueryRequest:
        body = await self._body(request)
        try:
            return QueryRequest.model_validate_json(body)
        except ValidationError as error:
            first = faults_of(error, _loaded(body), QueryRequest)[0]
            remedy = first.remedy or '{"sql": "SELECT 1"}'
            raise InputError(first.message, where=first.field or "body", remedy=remedy) from error

    async def _body(self, request: Request) -> bytes:
        seconds = self._parts.options.limits.receiving_s
        with self._parts.budget.share() as share:
            return await received(request.stream(), _ASKED_BYTES, share, seconds)

    def _problem(self, endpoint: str, error: BaseException) -> Response:
        code = _code(error)
        self._parts.metrics.requests.labels(endpoint, str(code)).inc()
        told: dict[str, Any] = {"kind": "store", "message": f"{type(error).__name__}: {error}"}
        if isinstance(error, GoldspanError):
            kinds = {InputError: "input", ConfigError: "config"}
            kind = next((k for cls, k in kinds.items() if isinstance(error, cls)), "store")
            told = {
                "kind": kind,
                "message": error.message,
                "where": error.where,
                "remedy": error.remedy,
            }
        elif isinstance(error, RuntimeError | MemoryError):  # no room for a thread
            told["message"] = "the server is short of memory; ask again a little later"
        elif isinstance(error, ValueError):
            told = {"kind": "input", "message": str(error)}
        headers = {"retry-after": "2"} if code in (429, 503) else None
        return JSONResponse(told, status_code=code, headers=headers)


def _loaded(body: bytes) -> Any:
    """The JSON value of a body that is no query, None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _code(error: BaseException) -> int:
    if isinstance(error, _Forbidden):
        return error.code
    if isinstance(error, QueueFullError | QueryTooBusyError):
        return 429
    if isinstance(error, StoppingError | RuntimeError | MemoryError):
        return 503
    if isinstance(error, QueryStoppedError | TimeoutError):
        return 408
    if isinstance(error, TooLargeError):
        return 413
    if isinstance(error, InputError | ConfigError | ValueError):
        return 400
    return 503 if isinstance(error, StoreError) else 500


def _chunks(spool: IO[bytes]) -> Iterator[bytes]:
    with spool:
        while chunk := spool.read(_CHUNK):
            yield chunk
