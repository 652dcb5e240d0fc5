"""What the server counts, in Prometheus' text format under /metrics."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from goldspan.tracing.batch import IngestBatch, IngestResult

_COMMIT_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The server's counters, in a registry of their own: nothing of the process is shared."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "goldspan_requests",
            "Answered requests.",
            ("endpoint", "code"),
            registry=self._registry,
        )
        self._accepted = self._records("accepted", "Records that were decoded.")
        self._stored = self._records("stored", "Records committed that were new.")
        self._deduplicated = self._records("deduplicated", "Records that were stored already.")
        self._rejected = Counter(
            "goldspan_rejected_records",
            "Records (or, for reason request, whole requests) that were not taken.",
            ("reason",),
            registry=self._registry,
        )
        self.commits = Histogram(
            "goldspan_commit_seconds",
            "Time from taking requests off the queue to their commit.",
            buckets=_COMMIT_S,
            registry=self._registry,
        )
        self.waits = Histogram(
            "goldspan_acknowledge_seconds",
            "Time from a request's arrival in the queue to its answer.",
            buckets=_COMMIT_S,
            registry=self._registry,
        )
        self.failures = Counter(
            "goldspan_commit_failures", "Commits that failed.", registry=self._registry
        )
        self.children = Counter(
            "goldspan_dashboard_starts", "Starts of the dashboard.", registry=self._registry
        )

    def watch(self, name: str, about: str, read: Callable[[], float]) -> None:
        """Add a gauge whose value is read when it is asked for."""
        Gauge(f"goldspan_{name}", about, registry=self._registry).set_function(read)

    def committed(self, batch: IngestBatch, result: IngestResult) -> None:
        """Count a committed batch."""
        self._accepted.labels("span").inc(len(batch.spans))
        self._accepted.labels("log").inc(len(batch.logs))
        self._stored.labels("span").inc(result.stored_spans)
        self._stored.labels("log").inc(result.stored_events)
        self._deduplicated.labels("span").inc(result.duplicate_spans)
        self._deduplicated.labels("log").inc(result.duplicate_events)

    def rejected(self, reason: str, count: int = 1) -> None:
        """Count what was not taken; `reason` is one of a few words."""
        if count:
            self._rejected.labels(reason).inc(count)

    def text(self) -> bytes:
        """The exposition."""
        return generate_latest(self._registry)

    def _records(self, name: str, about: str) -> Counter:
        return Counter(f"goldspan_{name}_records", about, ("kind",), registry=self._registry)
