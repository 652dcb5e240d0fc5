"""OTLP/HTTP: /v1/traces, /v1/logs and /v1/metrics, also below any prefix."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from google.rpc import code_pb2
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from goldspan.tracing.server.access_control import AccessControl, tokens_in
from goldspan.tracing.server.bodies import Budget, Share, TooLargeError, received, unpacked
from goldspan.tracing.server.commits import Committer
from goldspan.tracing.server.decoding import Encoding, Signal
from goldspan.tracing.server.metrics import Metrics
from goldspan.tracing.server.options import Limits
from goldspan.tracing.server.otlp_answers import (
    Refusal,
    accepted,
    encoded,
    metrics_dropped,
    refusal,
)
from goldspan.tracing.server.queueing import Submission
from goldspan.tracing.store.remote import COUNTS_HEADER

_ENCODINGS = {encoding.value: encoding for encoding in Encoding} | {
    "application/protobuf": Encoding.PROTOBUF,
}
_WRONG_TYPE = "the content type must be application/x-protobuf or application/json"


class OtlpHttp:
    """The three endpoints. Bodies are read in the event loop, unpacked in a worker thread."""

    def __init__(
        self,
        committer: Committer,
        control: AccessControl,
        metrics: Metrics,
        budget: Budget,
        limits: Limits,
    ) -> None:
        self._committer = committer
        self._control = control
        self._metrics = metrics
        self._budget = budget
        self._limits = limits
        self._workers = ThreadPoolExecutor(2, thread_name_prefix="goldspan-unpack")

    def routes(self) -> list[Route]:
        """Starlette's routes; vendors' exporters put prefixes before the standard paths."""
        endpoints: dict[str, Callable[[Request], Awaitable[Response]]] = {
            "traces": self._traces,
            "logs": self._logs,
            "metrics": self._metrics_endpoint,
        }
        return [
            Route(f"{prefix}/v1/{name}", endpoint, methods=["POST"])
            for name, endpoint in endpoints.items()
            for prefix in ("", "/{prefix:path}")
        ]

    def close(self) -> None:
        """End the worker threads."""
        self._workers.shutdown()

    async def _traces(self, request: Request) -> Response:
        return await self._take(request, Signal.TRACES)

    async def _logs(self, request: Request) -> Response:
        return await self._take(request, Signal.LOGS)

    async def _take(self, request: Request, signal: Signal) -> Response:
        encoding = _encoding_of(request)
        answered = self._not_allowed(request, encoding)
        if answered is not None:
            return self._refused(signal, encoding, answered, request)
        assert encoding is not None
        alone = request.headers.get(COUNTS_HEADER) == "exact"
        try:
            with self._budget.share() as share:
                body = await self._body(request, share)
                answer = self._committer.queue.put(Submission(signal, encoding, body, alone))
                del body
            outcome = await asyncio.wrap_future(answer)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001  every failure is told to the sender
            return self._refused(signal, encoding, refusal(error), request)
        self._metrics.requests.labels(f"http {signal}", "200").inc()
        response = _response(encoded(accepted(signal, outcome), encoding), encoding)
        if alone and outcome.result is not None:
            result = outcome.result
            stored = result.stored_spans + result.stored_events
            duplicates = result.duplicate_spans + result.duplicate_events
            response.headers[COUNTS_HEADER] = f"{stored} {duplicates}"
        return response

    async def _metrics_endpoint(self, request: Request) -> Response:
        encoding = _encoding_of(request)
        answered = self._not_allowed(request, encoding)
        if answered is not None:
            return self._refused("metrics", encoding, answered, request)
        assert encoding is not None
        try:
            with self._budget.share() as share:
                body = await self._body(request, share)
                answer, points = metrics_dropped(encoding, body)
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:  # noqa: BLE001  every failure is told to the sender
            return self._refused("metrics", encoding, refusal(error), request)
        self._metrics.rejected("metric data point", points)
        self._metrics.requests.labels("http metrics", "200").inc()
        return _response(encoded(answer, encoding), encoding)

    async def _body(self, request: Request, share: Share) -> bytes:
        limits = self._limits
        if limits.body_bytes < _length(request) < math.inf:
            raise TooLargeError(limits.body_bytes)
        body = await received(request.stream(), limits.body_bytes, share, limits.receiving_s)
        packing = request.headers.get("content-encoding", "")
        if not packing:
            return body
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._workers, unpacked, body, packing, limits.body_bytes, share
        )

    def _not_allowed(self, request: Request, encoding: Encoding | None) -> Refusal | None:
        if not self._control.may_send(tokens_in(request.headers.items())):
            return Refusal(
                401, code_pb2.UNAUTHENTICATED, "a token is needed: Authorization: Bearer"
            )
        if encoding is None:
            return Refusal(415, code_pb2.INVALID_ARGUMENT, _WRONG_TYPE)
        return None

    def _refused(
        self, endpoint: str, encoding: Encoding | None, told: Refusal, request: Request
    ) -> Response:
        self._metrics.requests.labels(f"http {endpoint}", str(told.http_code)).inc()
        if told.http_code != 503:
            self._metrics.rejected("request")
        encoding = encoding or Encoding.JSON
        response = _response(encoded(told.status, encoding), encoding, told.http_code)
        if told.retry_s is not None:
            response.headers["retry-after"] = str(math.ceil(told.retry_s))
        # What is left of a body is read and thrown away, or its sender would see a broken
        # connection and not the answer; but not without end.
        if _length(request) > 4 * self._limits.body_bytes:
            response.headers["connection"] = "close"
        return response


def _length(request: Request) -> float:
    """The body's length as its sender says; endless where it does not."""
    told = request.headers.get("content-length", "")
    return int(told) if told.isdecimal() else math.inf


def _encoding_of(request: Request) -> Encoding | None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return _ENCODINGS.get(kind)


def _response(body: bytes, encoding: Encoding, code: int = 200) -> Response:
    return Response(body, status_code=code, media_type=encoding.value)
