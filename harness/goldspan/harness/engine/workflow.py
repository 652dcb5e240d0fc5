"""Durable runs on DBOS: a run is a workflow, each model and tool call a step.

Only this package knows DBOS. What is built here, and why, each found by trying:

- Every process has its own executor id: two with one id re-run each other's live steps.
- The application version is fixed: another version's runs are invisible to a worker.
- A run that waits cancels itself within a step, which is not recorded, and is resumed later: a
  workflow that blocks keeps its place in the queue for as long.
- What a dead process had is taken over by `_recover_pending_workflows`, a conditional update that
  may be repeated and raced. The public `resume_workflow` starts a live run's step once more.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from dbos import DBOS, DBOSConfig, SetEnqueueOptions, SetWorkflowID
from dbos import error as dbos_error

from goldspan.harness.engine.config import WORKFLOW, EngineConfig, sqlalchemy_url
from goldspan.harness.engine.log import speak_plainly
from goldspan.harness.engine.scrubbing import scrub_runs
from goldspan.harness.engine.serializer import JsonSerializer
from goldspan.harness.engine.steps import CutCall, Durable, Watch, insist
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.database import IDLE_MS
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.life import Life
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.result import Ended, Outcome, RunResult
from goldspan.harness.run_events import event_id
from goldspan.harness.run_spec import RunSpec
from goldspan.harness.steps import Park, Parked
from goldspan.tracing import semconv
from goldspan.tracing.errors import GoldspanError, InternalError
from goldspan.tracing.redaction import Policy

MAX_RECOVERIES = 1_000_000
QUEUE_POLL_S = 0.25
Runner: TypeAlias = Callable[[RunSpec, Life], Awaitable[RunResult]]


class Engine:
    """DBOS in this process, of which there is one at a time."""

    current: Engine | None = None

    def __init__(
        self,
        config: EngineConfig,
        ledger: Ledger,
        runner: Runner,
        *,
        executor: str | None = None,
        fence: Callable[[], None] = lambda: None,
        fenced: Callable[[], bool] = lambda: False,
    ) -> None:
        """`runner` makes a run of a spec, in this process. `fence` is called before each step, in
        a thread: it does not return in a process that was taken for dead. It is not called where
        `fenced` says that this process has shown a moment ago that it lives."""
        self.config = config
        self.ledger = ledger
        self.runs = Runs(ledger)
        self.runner = runner
        self.executor = executor or uuid.uuid4().hex
        self.fence = fence
        self.fenced = fenced
        self.watch = Watch()

    def launch(self) -> None:
        """Take runs from the queue from now on."""
        if Engine.current is not None:
            raise InternalError("there is an engine in this process already")
        Engine.current = self
        settings: DBOSConfig = {
            "name": "goldspan",
            "system_database_url": sqlalchemy_url(self.config.url),
            "executor_id": self.executor,
            "application_version": self.config.format,
            "serializer": JsonSerializer(),
            "enable_otlp": False,
            "log_level": "ERROR",
            "notification_listener_polling_interval_sec": 0.25,
            "scheduler_polling_interval_sec": 1,
            # As the ledger's own: a process that sleeps in a transaction holds up who takes over.
            "sys_db_idle_transaction_timeout_sec": IDLE_MS / 1000,
        }
        speak_plainly()
        self._dbos = DBOS(config=settings)
        DBOS.launch()
        rate = self.config.rate
        DBOS.register_queue(
            self.config.queue,
            worker_concurrency=self.config.concurrency,
            limiter={"limit": rate[0], "period": rate[1]} if rate else None,
            polling_interval_sec=QUEUE_POLL_S,
            on_conflict="always_update",
        )

    def close(self) -> None:
        """Stop taking runs. What is under way is dropped, and taken over by who comes next."""
        DBOS.destroy()
        Engine.current = None

    def enqueue(self, spec: RunSpec, *, priority: int | None = None) -> str:
        """Put a run into the queue; returns its id. A run of that id that is there stays as it
        is."""
        with (
            SetWorkflowID(spec.run_id),
            SetEnqueueOptions(priority=priority, app_version=self.config.format),
        ):
            DBOS.enqueue_workflow(self.config.queue, run_workflow, spec.to_json())
        return spec.run_id

    def status(self, run_id: str) -> str | None:
        """The engine's word for a run: ENQUEUED, PENDING, CANCELLED (it waits), SUCCESS or ERROR;
        None where it knows none."""
        found = DBOS.list_workflows(workflow_ids=[run_id], load_input=False, load_output=False)
        return found[0].status if found else None

    def result(self, run_id: str) -> dict[str, Any]:
        """What an ended run came to. Waits until it has ended."""
        result: dict[str, Any] = DBOS.retrieve_workflow(run_id).get_result()
        return result

    def delivered(self, run_id: str) -> dict[str, Any] | None:
        """What is told of a run that has ended: its result, and what it was asked. None while the
        engine has not recorded it."""
        found = next(iter(DBOS.list_workflows(workflow_ids=[run_id])), None)
        if found is None or found.input is None or found.status not in ("SUCCESS", "ERROR"):
            return None
        spec = RunSpec.of_json(found.input["args"][0])
        asked = {"agent": spec.agent, "batch": spec.batch, "task": spec.task.get("id")}
        failed = {"run_id": run_id, "outcome": "failed", "reason": str(found.error)}
        return {**asked, **(found.output or failed)}

    def scrub(self, run_ids: Sequence[str], policy: Policy) -> list[str]:
        """Redact what the engine recorded of runs; returns the ids of those that have ended."""
        return scrub_runs(self._dbos._sys_db, run_ids, policy)

    def idle(self) -> bool:
        """Whether no run is queued or under way, in any process. Runs that wait do not count."""
        states = ["ENQUEUED", "PENDING", "DELAYED"]
        return not DBOS.list_workflows(status=states, limit=1, load_input=False, load_output=False)

    def recover(self, dead: list[str]) -> int:
        """Put the runs of dead processes back into the queue; returns how many. May be repeated,
        and done by several at once."""
        if not dead:
            return 0
        # One question, however many have died: few of them have left anything.
        pending = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        left = {str(run.executor_id) for run in pending}.intersection(dead)
        return len(DBOS._recover_pending_workflows(sorted(left)))

    def wake(self, run_id: str) -> bool:
        """Put a run that waits back into its queue. False where it does not wait, or where another
        process wakes it."""
        stale_s = self.config.dead_after_s
        if self.status(run_id) != "CANCELLED":
            return False
        if not self.runs.claim_waking(run_id, stale_s=stale_s):
            return False
        DBOS.resume_workflow(run_id, queue_name=self.config.queue)
        return True

    def wake_awaited(self) -> list[str]:
        """Wake every run that has what it waited for; returns their ids."""
        awaited = self.runs.awaited(stale_s=self.config.dead_after_s)
        return [run_id for run_id, _ in awaited if self.wake(run_id)]

    def park(self, run_id: str, park: Park) -> None:
        """A run waits: its place in the queue is free from now on."""
        self.runs.park(run_id, park.waits_for, park.reason)
        DBOS.cancel_workflow(run_id)

    def report(self, cut: CutCall) -> None:
        """Write down for the trace that a kill flag found a call under way."""
        about = {
            semconv.RUN_ID: cut.run_id,
            semconv.AGENT_NAME: cut.agent,
            semconv.CALL_STEP: cut.step,
            semconv.CALL_FINISHED: cut.finished,
            semconv.KILL_SCOPE: cut.park.subject,
            semconv.REASON: cut.park.reason,
        }
        known = event_id(semconv.CALL_CUT, cut.run_id, str(cut.segment), cut.step)
        with self.ledger.transaction() as tx:
            put(tx, AuditEvent(known, semconv.CALL_CUT, self.ledger.clock(), about))


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MAX_RECOVERIES)
async def run_workflow(asked: dict[str, Any]) -> dict[str, Any]:
    """One life of a run, from its beginning or to where it died and on."""
    engine = Engine.current
    if engine is None:
        raise InternalError("a run started in a process without an engine")
    spec = RunSpec.of_json(asked)
    segment = await insist(
        lambda: engine.runs.begin_segment(
            spec.run_id, spec.agent, spec.digest, queue=engine.config.queue, batch=spec.batch
        )
    )
    steps = Durable(
        spec,
        segment,
        engine.watch,
        fence=engine.fence,
        fenced=engine.fenced,
        park=engine.park,
        report=engine.report,
    )
    life = Life(engine.ledger, steps, segment, engine.fence)
    engine.watch.lives.add(steps)
    try:
        result = await engine.runner(spec, life)
    except Ended as end:
        raise dbos_error.DBOSWorkflowCancelledError(end.reason) from None
    except Parked as parked:
        park = parked.park
        await insist(lambda: engine.park(spec.run_id, park))
        raise dbos_error.DBOSWorkflowCancelledError(parked.park.reason) from None
    except GoldspanError as error:
        await _failed(engine, spec.run_id, segment, str(error))
        return {"run_id": spec.run_id, "outcome": "failed", "reason": str(error)}
    except dbos_error.DBOSException:  # another process has this run
        raise
    except Exception as error:
        await _failed(engine, spec.run_id, segment, f"{type(error).__name__}: {error}")
        raise
    finally:
        engine.watch.lives.discard(steps)
    if result.outcome in ("paused", "killed"):
        raise dbos_error.DBOSWorkflowCancelledError(result.reason or result.outcome)
    tokens, usd = result.usage.tokens, result.cost_usd
    await _ended(engine, spec.run_id, segment, result.outcome, result.reason, tokens, usd)
    return {
        "run_id": spec.run_id,
        "trace_id": result.trace_id,
        "outcome": result.outcome,
        "reason": result.reason,
        "answer": result.answer,
        "tokens": result.usage.tokens,
        "tool_calls": result.usage.tool_calls,
        "cost_usd": result.cost_usd,
        "artifacts": result.artifacts,
    }


async def _ended(
    engine: Engine,
    run_id: str,
    segment: int,
    outcome: Outcome,
    why: str | None,
    tokens: int,
    usd: float | None,
) -> None:
    end = partial(engine.runs.end, run_id, outcome, why, tokens, usd, segment=segment)
    await insist(end)


async def _failed(engine: Engine, run_id: str, segment: int, why: str) -> None:
    """What it used until then counts for what a run of its agent costs."""
    tokens, usd = await insist(lambda: engine.runs.spent(run_id))
    await _ended(engine, run_id, segment, "failed", why, tokens, usd)
