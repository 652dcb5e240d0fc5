"""Steps: what a durable engine records, so that a run that died goes on where it was.

A run's body is pure Python that may run again from its beginning; what has an effect or costs
something is a step. `Direct` is the engine that records nothing: evals and one-off runs use it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from goldspan.harness.ledger.entries import Intent
from goldspan.harness.result import Ended, Outcome
from goldspan.harness.tools import JsonValue
from goldspan.tracing.errors import GoldspanError, MeasurementError

Work: TypeAlias = Callable[[], Awaitable[JsonValue]]
StepRunner: TypeAlias = Callable[[Work], Awaitable[JsonValue]]
Ask: TypeAlias = Callable[[], Awaitable[Mapping[str, Any] | None]]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Park:
    """What a run waits for: `approval` and `unknown` for a person, `breaker` for a tool to work
    again, `kill` for somebody to let it go on, `version` for the agent version that it began with.
    `subject` is the approval's id, the key of the call of which nobody knows whether it was made,
    the tool, the kill's scope, or the version's digest."""

    kind: Literal["approval", "breaker", "kill", "unknown", "version"]
    subject: str
    reason: str

    @property
    def waits_for(self) -> str:
        """Kind and subject, as the ledger keeps them."""
        return f"{self.kind}:{self.subject}"


class Parked(Exception):
    """Raised by the work of a step: nothing is recorded, and the run waits."""

    def __init__(self, park: Park) -> None:
        super().__init__(park.reason)
        self.park = park

    def ended(self) -> Ended:
        """How this life of the run ends."""
        outcome: Outcome = "killed" if self.park.kind == "kill" else "paused"
        return Ended(outcome, self.park.reason, self.park.waits_for)


class Steps(Protocol):
    """What a run needs of an engine. Steps take and give JSON, and raise for nothing expected."""

    def reserve(self, name: str) -> StepRunner:
        """Draw the next step's number now, and run it later: calls that run side by side have the
        same numbers in every life of the run. The runner returns the recorded result where there
        is one, and does not call its work then. Work that raises `Parked` is not recorded: the
        runner raises `Ended`."""
        ...

    async def transact(self, work: Callable[[], Answer]) -> Answer:
        """Run a short blocking transaction of the ledger without holding up other runs. Nothing
        is recorded: the ledger's own statements are idempotent."""
        ...

    async def park(self, park: Park, ready: Work) -> JsonValue:
        """What `ready` answers, as a step, as soon as that is not None.

        While it is None the run waits, without holding a worker: this life of it ends with
        `Ended` (`killed` where it waits for a kill flag to go, else `paused`), and the next one
        asks `ready` again.
        """
        ...


class Attempts(Protocol):
    """Makes one call's effect, once or several times."""

    async def run(
        self,
        intent: Intent,
        attempt: Callable[[int], Awaitable[JsonValue]],
        ask: Ask | None = None,
    ) -> JsonValue:
        """The result of the first attempt that succeeds; `attempt` takes its number, from 1.
        `ask` says what a call of the same key returned, None where there was none. Raises the
        last attempt's error."""
        ...


class Once:
    """One attempt."""

    async def run(
        self,
        intent: Intent,
        attempt: Callable[[int], Awaitable[JsonValue]],
        ask: Ask | None = None,
    ) -> JsonValue:
        """The result of the only attempt."""
        return await attempt(1)


class Direct:
    """Steps that nothing records: a run that dies is over, and one that must wait ends."""

    def reserve(self, name: str) -> StepRunner:
        """A runner that does the work."""
        return _do

    async def transact(self, work: Callable[[], Answer]) -> Answer:
        """Run it here."""
        return work()

    async def park(self, park: Park, ready: Work) -> JsonValue:
        """What is known now. Raises `Ended` where that is nothing."""
        known = await ready()
        if known is None:
            raise Parked(park).ended()
        return known


async def _do(work: Work) -> JsonValue:
    try:
        return await work()
    except Parked as parked:
        raise parked.ended() from None


def told(error: GoldspanError) -> dict[str, JsonValue]:
    """An error as a step's result: a step that raises would be recorded as the engine likes."""
    return {"message": error.message, "where": error.where, "remedy": error.remedy}


def retold(failure: Mapping[str, str | None]) -> MeasurementError:
    """The error again."""
    return MeasurementError(
        failure["message"] or "", where=failure["where"], remedy=failure["remedy"]
    )
