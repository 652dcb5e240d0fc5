"""The way of one run's calls into the ledger, and what becomes of a run that may not go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from goldspan.harness.guards import Verdict
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.ledger import Admission, Intent, Ledger, Reached, Settlement, Want
from goldspan.harness.run_events import RunEvents
from goldspan.harness.steps import Park, Parked, Steps
from goldspan.harness.tools import JsonValue
from goldspan.tracing import semconv
from goldspan.tracing.errors import InternalError


@dataclass
class Admissions:
    """One run's calls, as the ledger knows them. What calls used rides in the next admission.
    `reached` is told of each call that a limit refused, in the transaction that refuses it."""

    run_id: str
    agent: str
    ledger: Ledger
    engine: Steps
    events: RunEvents
    breakers: Breakers | None = None
    reached: Reached | None = None
    _settled: list[Settlement] = field(default_factory=list)

    def intent(
        self,
        step: int,
        tool: str,
        arguments: Any,
        action_class: str,
        approval: str | None = None,
    ) -> Intent:
        """The intent of this run's call number `step`."""
        return Intent.of(
            self.run_id,
            step,
            tool,
            arguments,
            agent=self.agent,
            action_class=action_class,
            approval=approval,
        )

    async def admit(self, intent: Intent, wants: Sequence[Want]) -> Admission:
        """`admitted` or `refused`. Raises `Ended` where the run is killed or its tool's breaker is
        open: the run waits then, and the same intent is judged anew when it goes on."""
        settled, self._settled = self._settled, []
        judge = self.ledger.admit if self.breakers is None else self.breakers.admit
        answer = await self.engine.transact(lambda: judge(intent, wants, settled, self.reached))
        return await self._may_go_on(intent, answer)

    async def admit_in_step(self, intent: Intent, wants: Sequence[Want]) -> Admission:
        """As `admit`, within the work of a step. Raises `Parked` where the run must wait."""
        judge = self.ledger.admit if self.breakers is None else self.breakers.admit
        answer = await self.engine.transact(lambda: judge(intent, wants, (), self.reached))
        park = _park(intent, answer)
        if park is not None:
            self.waiting(park)
            raise Parked(park)
        return answer

    async def refuse(self, intent: Intent, verdict: Verdict) -> Admission:
        """What stands in the ledger after a guard's `deny` or `stop`: its refusal, or `admitted`
        where the call was made in an earlier life of the run. Raises `Ended` as `admit` does."""
        answer = await self.engine.transact(
            lambda: self.ledger.refuse(intent, verdict.guard, verdict.ruling, verdict.reason)
        )
        return await self._may_go_on(intent, answer)

    def settle(self, key: str, used: Mapping[str, float]) -> None:
        """What a call used, by unit."""
        self._settled.append(Settlement(key, used))

    async def settle_in_step(self, key: str, used: Mapping[str, float]) -> None:
        """As `settle`, and now: within the work of a step, which no later life runs again."""
        await self.engine.transact(lambda: self.ledger.settle([Settlement(key, used)]))

    async def flush(self) -> None:
        """Settle what no admission has carried."""
        settled, self._settled = self._settled, []
        if settled:
            await self.engine.transact(lambda: self.ledger.settle(settled))

    async def wait(self, park: Park) -> NoReturn:
        """End this life of the run, until what it waits for is there."""
        self.waiting(park)
        await self.engine.park(park, _not_yet)
        raise InternalError("a run that waits went on", where=park.waits_for)

    def waiting(self, park: Park) -> None:
        """Say in the trace that the run waits, and for what."""
        self.events.of_segment(
            semconv.RUN_PAUSED,
            {
                semconv.REASON: park.reason,
                semconv.RUN_WAITS_FOR: park.waits_for,
                semconv.APPROVAL_ID: park.subject if park.kind == "approval" else None,
            },
        )

    async def _may_go_on(self, intent: Intent, answer: Admission) -> Admission:
        park = _park(intent, answer)
        if park is not None:
            await self.wait(park)
        return answer


def _park(intent: Intent, answer: Admission) -> Park | None:
    if answer.standing == "killed":
        return Park("kill", answer.guard, answer.reason)
    if answer.standing == "open":
        return Park("breaker", intent.tool, answer.reason)
    return None


async def _not_yet() -> JsonValue:
    return None
