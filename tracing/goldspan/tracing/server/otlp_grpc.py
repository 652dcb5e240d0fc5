"""OTLP/gRPC: the trace, log and metrics services, into the same queue as OTLP/HTTP.

Messages are taken as bytes: decoding them is the committing thread's work, and its errors are
ours to tell. The library checks the size, also of what it unpacks, before we get anything.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn

import grpc

from goldspan.tracing.errors import ConfigError, GoldspanError
from goldspan.tracing.server.access_control import AccessControl, tokens_in
from goldspan.tracing.server.commits import Committer
from goldspan.tracing.server.decoding import Encoding, Signal
from goldspan.tracing.server.metrics import Metrics
from goldspan.tracing.server.options import Limits, ServerOptions
from goldspan.tracing.server.otlp_answers import Refusal, accepted, metrics_dropped, refusal
from goldspan.tracing.server.queueing import Submission

_PACKAGE = "opentelemetry.proto.collector"
_STATUS_DETAILS = "grpc-status-details-bin"
_CODES = {code.value[0]: code for code in grpc.StatusCode}

Handler = Callable[[bytes, grpc.ServicerContext], bytes]


class OtlpGrpc:
    """The gRPC server. `start`, then `stop`, which waits for the calls that are open."""

    def __init__(
        self,
        options: ServerOptions,
        committer: Committer,
        control: AccessControl,
        metrics: Metrics,
    ) -> None:
        self._committer = committer
        self._control = control
        self._metrics = metrics
        limits: Limits = options.limits
        self._server = grpc.server(
            ThreadPoolExecutor(limits.grpc_calls, thread_name_prefix="goldspan-grpc"),
            maximum_concurrent_rpcs=limits.connections,
            options=[
                ("grpc.max_receive_message_length", limits.grpc_bytes),
                ("grpc.so_reuseport", 0),
            ],
        )
        for service, handler in (
            ("trace.v1.TraceService", self._taking(Signal.TRACES)),
            ("logs.v1.LogsService", self._taking(Signal.LOGS)),
            ("metrics.v1.MetricsService", self._drop_metrics),
        ):
            method = grpc.unary_unary_rpc_method_handler(handler)
            name = f"{_PACKAGE}.{service}"
            handlers = grpc.method_handlers_generic_handler(name, {"Export": method})
            self._server.add_generic_rpc_handlers((handlers,))
        host = f"[{options.host}]" if ":" in options.host else options.host
        try:
            self.port = self._server.add_insecure_port(f"{host}:{options.grpc_port}")
        except RuntimeError as error:
            raise ConfigError(
                f"port {options.grpc_port} of {options.host} cannot be listened on",
                where="--grpc-port",
                remedy="stop what uses it, choose another, or give --no-grpc",
            ) from error

    def start(self) -> None:
        """Take calls."""
        self._server.start()

    def stop(self, grace_s: float) -> None:
        """Take no new calls, wait for the open ones."""
        self._server.stop(grace_s).wait()

    def _taking(self, signal: Signal) -> Handler:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            self._authorise(signal, context)
            try:
                answer = self._committer.queue.put(Submission(signal, Encoding.PROTOBUF, body))
                del body  # the committing thread frees it once it is decoded
                outcome = answer.result()
            except Exception as error:  # noqa: BLE001  every failure is told to the sender
                self._refuse(signal, context, refusal(error))
            self._metrics.requests.labels(f"grpc {signal}", "OK").inc()
            return accepted(signal, outcome).SerializeToString()

        return export

    def _drop_metrics(self, body: bytes, context: grpc.ServicerContext) -> bytes:
        self._authorise("metrics", context)
        try:
            answer, points = metrics_dropped(Encoding.PROTOBUF, body)
        except GoldspanError as error:
            self._refuse("metrics", context, refusal(error))
        self._metrics.rejected("metric data point", points)
        self._metrics.requests.labels("grpc metrics", "OK").inc()
        return answer.SerializeToString()

    def _authorise(self, endpoint: str, context: grpc.ServicerContext) -> None:
        metadata = [
            (key, value if isinstance(value, str) else value.decode("utf-8", "replace"))
            for key, value in context.invocation_metadata()
        ]
        if not self._control.may_send(tokens_in(metadata)):
            code = grpc.StatusCode.UNAUTHENTICATED.value[0]
            self._refuse(
                endpoint, context, Refusal(401, code, "a token is needed: authorization: Bearer")
            )

    def _refuse(self, endpoint: str, context: grpc.ServicerContext, told: Refusal) -> NoReturn:
        code = _CODES[told.grpc_code]
        self._metrics.requests.labels(f"grpc {endpoint}", code.name).inc()
        if told.http_code != 503:
            self._metrics.rejected("request")
        details = told.status.SerializeToString()
        context.set_trailing_metadata(((_STATUS_DETAILS, details),))
        context.abort(code, told.message[:2000])
        raise AssertionError("abort() raises")
