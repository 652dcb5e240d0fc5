"""The steps of a durable run: what the engine records, and what cuts them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from dbos import DBOS
from dbos import error as dbos_error

from goldspan.harness.result import Ended
from goldspan.harness.run_spec import RunSpec
from goldspan.harness.steps import Answer, Park, Parked, StepRunner, Work
from goldspan.harness.tools import JsonValue
from goldspan.tracing.errors import StoreError
from goldspan.tracing.run_ids import placed

FIRST_PAUSE_S, MAX_PAUSE_S = 0.2, 5.0
_log = logging.getLogger(__name__)


@dataclass
class Watch:
    """What goes on in this process: the steps under way, with run and agent, those of them that are
    cut, with why, and the lives of runs that are not at rest."""

    in_flight: dict[asyncio.Task[JsonValue], tuple[str, str]] = field(default_factory=dict)
    cut: dict[asyncio.Task[JsonValue], Park] = field(default_factory=dict)
    lives: set[Durable] = field(default_factory=set)
    stopping: bool = False

    async def rest_if_stopping(self, life: Durable) -> None:
        """Keep a run from another call in a process that ends: between an intent and its effect it
        would leave a call of which nobody knows."""
        here = asyncio.current_task()
        if not self.stopping or here is None:
            return
        if here.cancelling() and here not in self.cut:  # during a call that could not be cut
            self.lives.discard(life)
            raise asyncio.CancelledError
        if here in self.in_flight:  # what it has done is not recorded yet
            return
        self.lives.discard(life)
        await asyncio.Event().wait()


@dataclass(frozen=True)
class CutCall:
    """A call that was under way when its run was stopped. `step` is its number and name.
    `finished` says that it could not be cut: it came to its end, and the result is kept."""

    run_id: str
    agent: str
    segment: int
    step: str
    park: Park
    finished: bool


class Durable:
    """The steps of one life of a run."""

    def __init__(
        self,
        spec: RunSpec,
        segment: int,
        watch: Watch,
        *,
        fence: Callable[[], None],
        fenced: Callable[[], bool] = lambda: False,
        park: Callable[[str, Park], None],
        report: Callable[[CutCall], None] = lambda _cut: None,
    ) -> None:
        """`fence`, `park` and `report` block, and are called in a thread; `park` frees the run's
        place, `report` is told of each call that a kill flag found under way. `fenced` says at once
        that the fence would let this pass."""
        self._run_id = spec.run_id
        self._agent = spec.agent
        self._segment = segment
        self._watch = watch
        self._fence = fence
        self._fenced = fenced
        self._parks = park
        self._report = report
        self._under_way: set[asyncio.Future[None]] = set()
        self._waits: Parked | None = None

    def reserve(self, name: str) -> StepRunner:
        """The next step of the workflow."""
        reserved = DBOS.reserve_step()

        async def run(work: Work) -> JsonValue:
            which = f"{reserved.step_id} {name}"
            over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

            async def step() -> JsonValue:
                if not self._fenced():
                    await insist(self._fence)
                try:
                    with placed(self._run_id, self._segment, which):
                        return await self._do(which, work)
                except Parked as found:
                    self._over(over)
                    await self._park(found)
                    # Raised as this, a step is not recorded: the next life asks again.
                    raise dbos_error.DBOSWorkflowCancelledError(found.park.reason) from None

            if self._waits is not None:  # a step beside this one parked the run
                raise self._waits.ended()
            self._under_way.add(over)
            try:
                recorded: JsonValue = await reserved.run_async({"name": name}, step)
            except dbos_error.DBOSWorkflowCancelledError as error:
                ended = Ended("killed", str(error)) if self._waits is None else self._waits.ended()
                raise ended from None
            finally:
                self._over(over)
            return recorded

        return run

    async def transact(self, work: Callable[[], Answer]) -> Answer:
        """Run it in a thread, and insist. In a process that ends none begins, but those of a step
        that is under way: it may come to its end."""
        await self._watch.rest_if_stopping(self)
        return await insist(work)

    async def park(self, park: Park, ready: Work) -> JsonValue:
        """What `ready` answers, recorded once it answers something."""

        async def work() -> JsonValue:
            known = await ready()
            if known is None:
                raise Parked(park)
            return known

        return await self.reserve(f"wait:{park.kind}")(work)

    def _over(self, step: asyncio.Future[None]) -> None:
        self._under_way.discard(step)
        if not step.done():
            step.set_result(None)

    async def _park(self, found: Parked) -> None:
        """Park the run, once no other step of this life is under way: a run that is parked may be
        woken at once, and two lives of it would be there."""
        first, self._waits = self._waits, self._waits or found
        while self._under_way:
            await asyncio.wait(self._under_way)
        if first is None:
            await insist(lambda: self._parks(self._run_id, found.park))

    async def _do(self, which: str, work: Work) -> JsonValue:
        task = asyncio.ensure_future(work())
        with self._watched(task):
            try:
                result = await task
            except asyncio.CancelledError:
                park = self._watch.cut.get(task)
                if park is None:  # this process ends
                    task.cancel()
                    raise
                await self._tell(which, park, finished=False)
                raise Parked(park) from None
            park = self._watch.cut.pop(task, None)
            if park is not None:
                await self._tell(which, park, finished=True)
            return result

    async def _tell(self, which: str, park: Park, *, finished: bool) -> None:
        cut = CutCall(self._run_id, self._agent, self._segment, which, park, finished)
        await insist(lambda: self._report(cut))

    @contextmanager
    def _watched(self, task: asyncio.Future[JsonValue]) -> Iterator[None]:
        assert isinstance(task, asyncio.Task)
        self._watch.in_flight[task] = (self._run_id, self._agent)
        try:
            yield
        finally:
            self._watch.in_flight.pop(task, None)
            self._watch.cut.pop(task, None)


async def insist(work: Callable[[], Answer]) -> Answer:
    """Run a blocking transaction in a thread; again and again while the database is away, as the
    engine itself does: what is asked is idempotent, and no run is lost to a restart."""
    longest = FIRST_PAUSE_S
    while True:
        try:
            return await asyncio.to_thread(work)
        except StoreError as error:
            _log.warning("%s", error)
        await asyncio.sleep(random.uniform(0, longest))
        longest = min(longest * 2, MAX_PAUSE_S)
