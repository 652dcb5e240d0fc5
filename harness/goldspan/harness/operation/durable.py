"""Tasks as durable runs: what goes into the queue, and what a worker makes of it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import Approver
from goldspan.harness.approvals.asking import LedgerApprover
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.life import Life
from goldspan.harness.models.gateway import ModelGateway
from goldspan.harness.operation.task_contract import hold_to
from goldspan.harness.operation.tasks import Task, Worker
from goldspan.harness.result import RunResult
from goldspan.harness.run_events import RunEvents
from goldspan.harness.run_spec import RunSpec, queued_run_id
from goldspan.harness.steps import Attempts, Park, Parked
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, GoldspanError
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.validation import faults_of


def batch_of(tasks: Sequence[Task]) -> str:
    """A name for an intake that nobody named: the same tasks, the same name."""
    text = "\n".join(
        task.model_dump_json(exclude={"session"} if task.session is None else None)
        for task in tasks
    )
    return f"batch-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def specs_of(
    version: AgentVersion, tasks: Sequence[Task], *, batch: str, seed: int = 0
) -> list[RunSpec]:
    """What the queue holds for a batch of tasks. The same batch and task is the same run. A task
    without a time gets this one: every life of its run has the same. Raises `ConfigError` where a
    task loosens the version's contract."""
    now = datetime.now(UTC)
    for task in tasks:
        hold_to(version.config.contract, task.contract, where=f"task {task.id}")
    return [
        RunSpec(
            run_id=queued_run_id(batch, task.id),
            agent=version.name,
            folder=str(version.path.resolve()),
            digest=version.digest,
            task=task.model_copy(update={"now": task.now or now}).model_dump(mode="json"),
            seed=seed,
            batch=batch,
        )
        for task in tasks
    ]


@dataclass
class SpecRunner:
    """Makes runs of specs, in one worker process. `gateway_of` says which model a version asks;
    `approver` decides where a task names nobody, people through the ledger if it is not given."""

    gateway_of: Callable[[AgentVersion], ModelGateway]
    recorder: Recorder
    prices: Prices
    workspaces: Path
    approver: Approver | None = None
    attempts: Attempts | None = None
    model_name: str | None = None
    provider: str | None = None
    _versions: dict[tuple[str, str], AgentVersion] = field(default_factory=dict)

    async def __call__(self, spec: RunSpec, life: Life) -> RunResult:
        """One life of a run. Raises `Parked` where its agent version is no longer what it was,
        `ConfigError` where its task is none, and what `run_agent` raises."""
        events = RunEvents(self.recorder, spec.run_id, life.segment)
        identity = {
            **spec.attributes,
            semconv.RUN_ID: spec.run_id,
            semconv.AGENT_NAME: spec.agent,
            semconv.AGENT_DIGEST: spec.digest,
            semconv.BATCH_ID: spec.batch,
            semconv.CONVERSATION_ID: spec.task.get("session"),
        }
        try:
            version = await asyncio.to_thread(self._version, spec)
            return await self._run(version, spec, _task(spec, version), life)
        except Parked as parked:
            waits = {
                semconv.REASON: parked.park.reason,
                semconv.RUN_WAITS_FOR: parked.park.waits_for,
            }
            with self.recorder.context(identity):
                events.of_segment(semconv.RUN_PAUSED, waits)
            raise
        except GoldspanError as error:
            # A run that could not begin has no span; where it had one, this is the same event.
            ended = {semconv.RUN_OUTCOME: "failed", semconv.RUN_REASON: str(error)}
            with self.recorder.context(identity):
                events.of_segment(semconv.RUN_ENDED, ended)
            raise

    async def _run(self, version: AgentVersion, spec: RunSpec, task: Task, life: Life) -> RunResult:
        worker = Worker(
            version,
            self.gateway_of(version),
            self.recorder,
            self.prices,
            self.workspaces,
            model_name=spec.model_name or self.model_name,
            provider=spec.provider or self.provider,
        )
        return await worker.run(
            task,
            repeat=spec.repeat,
            seed=spec.seed,
            run_id=spec.run_id,
            attributes={**spec.attributes, semconv.BATCH_ID: spec.batch},
            life=life,
            approver=self.approver or LedgerApprover(Approvals(life.ledger), life.steps.transact),
            attempts=self.attempts,
        )

    def _version(self, spec: RunSpec) -> AgentVersion:
        known = self._versions.get((spec.folder, spec.digest))
        if known is not None:
            return known
        try:
            version = AgentVersion.load(Path(spec.folder))
            now = f"is {version.digest[:12]} now"
        except GoldspanError as error:
            version, now = None, f"cannot be loaded ({error})"
        if version is None or version.digest != spec.digest:
            why = f"{spec.folder} was {spec.digest[:12]} when the run began, and {now}"
            raise Parked(Park("version", spec.digest, why))
        self._versions[spec.folder, spec.digest] = version
        return version


def _task(spec: RunSpec, version: AgentVersion) -> Task:
    """The task of a spec, which any process may have put into the queue."""
    try:
        task = Task.model_validate(spec.task)
    except ValidationError as error:
        first = faults_of(error, spec.task, Task)[0]
        raise ConfigError(first.said("task"), where=spec.run_id, remedy=first.remedy) from None
    hold_to(version.config.contract, task.contract, where=f"task {task.id}")
    return task
