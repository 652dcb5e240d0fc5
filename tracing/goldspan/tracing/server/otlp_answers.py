"""OTLP's answers, the same for HTTP and gRPC: what was rejected, and how errors are told."""

from __future__ import annotations

import json
from dataclasses import dataclass

from google.protobuf import json_format
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError, Message
from google.rpc import code_pb2
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric

from goldspan.tracing.errors import InputError, InternalError, StoreError
from goldspan.tracing.server.bodies import TooLargeError, UnknownEncodingError
from goldspan.tracing.server.decoding import Encoding, Signal
from goldspan.tracing.server.queueing import Outcome, QueueFullError

NO_METRICS = "Goldspan stores traces and logs, no metrics: these data points were dropped"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as both protocols tell it. `retry_s` is None where the same again would fail too."""

    http_code: int
    grpc_code: int
    message: str
    retry_s: int | None = None

    @property
    def status(self) -> Status:
        """The google.rpc.Status; with a RetryInfo where sending it again may help."""
        status = Status(code=self.grpc_code, message=self.message[:2000])
        if self.retry_s is not None:
            status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=self.retry_s)))
        return status


def refusal(error: BaseException) -> Refusal:
    """What an error means for the sender."""
    message = str(error) or type(error).__name__
    if isinstance(error, QueueFullError):
        return Refusal(429, code_pb2.RESOURCE_EXHAUSTED, message, retry_s=1)
    if isinstance(error, StoreError):
        return Refusal(503, code_pb2.UNAVAILABLE, message, retry_s=2)
    if isinstance(error, TooLargeError):
        return Refusal(413, code_pb2.INVALID_ARGUMENT, message)
    if isinstance(error, UnknownEncodingError):
        return Refusal(415, code_pb2.INVALID_ARGUMENT, message)
    if isinstance(error, InputError):
        return Refusal(400, code_pb2.INVALID_ARGUMENT, message)
    if isinstance(error, TimeoutError):
        return Refusal(408, code_pb2.DEADLINE_EXCEEDED, "the body took too long to arrive")
    if not isinstance(error, InternalError):
        message = f"{type(error).__name__}: {message}"
    return Refusal(500, code_pb2.INTERNAL, message)


def accepted(signal: Signal, outcome: Outcome) -> Message:
    """The answer to a committed request; `partial_success` if something is to be said."""
    answer: ExportTraceServiceResponse | ExportLogsServiceResponse
    if signal is Signal.TRACES:
        answer = ExportTraceServiceResponse()
        if outcome.rejected:
            answer.partial_success.rejected_spans = outcome.rejected
    else:
        answer = ExportLogsServiceResponse()
        if outcome.rejected:
            answer.partial_success.rejected_log_records = outcome.rejected
    if outcome.remark:
        answer.partial_success.error_message = outcome.remark[:2000]
    return answer


def metrics_dropped(encoding: Encoding, body: bytes) -> tuple[ExportMetricsServiceResponse, int]:
    """The answer that says that no data point was stored, and how many there were.

    Raises InputError for a body that is no metrics request.
    """
    request = ExportMetricsServiceRequest()
    try:
        if encoding is Encoding.JSON:
            json_format.ParseDict(json.loads(body), request, ignore_unknown_fields=True)
        else:
            request.ParseFromString(body)
    except (DecodeError, json_format.ParseError, ValueError, RecursionError) as error:
        raise InputError(f"is no OTLP metrics request: {error}", where="body") from error
    points = sum(
        _points(metric)
        for group in request.resource_metrics
        for scoped in group.scope_metrics
        for metric in scoped.metrics
    )
    answer = ExportMetricsServiceResponse()
    answer.partial_success.rejected_data_points = points
    answer.partial_success.error_message = NO_METRICS
    return answer, points


def encoded(message: Message, encoding: Encoding) -> bytes:
    """A message in the encoding of the request that it answers."""
    if encoding is Encoding.JSON:
        return json_format.MessageToJson(message, indent=None).encode()
    return message.SerializeToString()


def _points(metric: Metric) -> int:
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0
