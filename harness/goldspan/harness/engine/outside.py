"""The engine's database seen from a process that makes no runs: what is queued, what may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType

from dbos import DBOS, DBOSClient

from goldspan.harness.engine.config import WORKFLOW, EngineConfig, sqlalchemy_url
from goldspan.harness.engine.schedules import SCHEDULED
from goldspan.harness.engine.scrubbing import scrub_runs
from goldspan.harness.engine.serializer import JsonSerializer
from goldspan.harness.run_spec import RunSpec
from goldspan.tracing.redaction import Policy

AT_ONCE = 200


@dataclass(frozen=True)
class QueuedRun:
    """A run that no worker has taken yet. `at` is when it was asked for, seconds since the
    epoch."""

    run_id: str
    agent: str
    batch: str | None
    at: float


class OutsideEngine:
    """The queue and the records of ended runs, without a worker. Also a context manager."""

    def __init__(self, config: EngineConfig) -> None:
        self.config = config
        url = sqlalchemy_url(config.url)
        DBOS.migrate(url)
        self._client = DBOSClient(
            system_database_url=url, serializer=JsonSerializer(), application_name="goldspan"
        )

    def __enter__(self) -> OutsideEngine:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.destroy()

    def enqueue(self, specs: list[RunSpec]) -> list[str]:
        """Put runs into the queue; returns the ids of those that were not there. One that is there
        stays as it is."""
        ids = [spec.run_id for spec in specs]
        there = self._known(ids)
        for spec in specs:
            self._client.enqueue(
                {
                    "workflow_name": WORKFLOW,
                    "queue_name": self.config.queue,
                    "workflow_id": spec.run_id,
                    "app_version": self.config.format,
                },
                spec.to_json(),
            )
        return [run_id for run_id in ids if run_id not in there]

    def queued(self, *, run_id: str | None = None, most: int = 1000) -> list[QueuedRun]:
        """The runs that wait for a worker for the first time, the oldest first."""
        found = self._client.list_workflows(
            workflow_ids=[run_id] if run_id else None,
            status=["ENQUEUED", "DELAYED"],
            name=WORKFLOW,
            limit=most,
            load_output=False,
        )
        queued = []
        for workflow in found:
            if workflow.input is None:  # written by a version of another format
                continue
            spec = RunSpec.of_json(workflow.input["args"][0])
            at = (workflow.created_at or 0) / 1000
            queued.append(QueuedRun(spec.run_id, spec.agent, spec.batch, at))
        return queued

    def scrub(self, run_ids: Sequence[str], policy: Policy) -> list[str]:
        """Redact what the engine recorded of runs; returns the ids of those that have ended."""
        return scrub_runs(self._client._sys_db, run_ids, policy)

    def delete(self, run_ids: list[str]) -> None:
        """Remove what the engine recorded of runs. Those must have ended."""
        for first in range(0, len(run_ids), AT_ONCE):
            self._client.delete_workflows(run_ids[first : first + AT_ONCE])

    def delete_fired(self, before: float) -> int:
        """Remove the records of schedules' firings before a time; returns how many."""
        removed = 0
        while True:
            found = self._client.list_workflows(
                name=SCHEDULED,
                status=["SUCCESS", "ERROR"],
                completed_before=_iso(before),
                limit=AT_ONCE,
                load_input=False,
                load_output=False,
            )
            if not found:
                return removed
            self._client.delete_workflows([workflow.workflow_id for workflow in found])
            removed += len(found)

    def _known(self, ids: list[str]) -> set[str]:
        found: set[str] = set()
        for first in range(0, len(ids), AT_ONCE):
            rows = self._client.list_workflows(
                workflow_ids=ids[first : first + AT_ONCE], load_input=False, load_output=False
            )
            found |= {row.workflow_id for row in rows}
        return found


def enqueue_from_outside(config: EngineConfig, specs: list[RunSpec]) -> list[str]:
    """Put runs into the queue from a process that makes none; returns their ids. A run of such an
    id that is there stays as it is."""
    with OutsideEngine(config) as engine:
        engine.enqueue(specs)
    return [spec.run_id for spec in specs]


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()
