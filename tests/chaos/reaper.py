"""Kills the process that it stands in, at one boundary of one step: planted into the real parts."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from goldspan.harness.engine import Durable
from goldspan.harness.ledger import Admission, Intent, Ledger
from goldspan.harness.steps import StepRunner, Work
from goldspan.harness.tools import JsonValue

POINTS = (
    "before the intent",
    "intent committed",
    "in the step",
    "effect done",
    "result recorded",
)


@dataclass
class Reaper:
    """Kills with the signal `how` when the `nth` step whose name fits one of the patterns `what`
    (`tool:send|tool:throw`, `wait:*`) comes to a `point` in this process. What an earlier life
    recorded, and is only replayed here, does not count."""

    point: str
    what: str
    nth: int = 1
    how: int = signal.SIGKILL

    def at(self, point: str, name: str) -> None:
        """A step is at a point."""
        if point == self.point and any(fnmatchcase(name, one) for one in self.what.split("|")):
            self.nth -= 1
            if self.nth == 0:
                os.kill(os.getpid(), self.how)

    def plant(self) -> None:
        """Around the real parts; they do what they always do."""
        reserve, admit = Durable.reserve, Ledger.admit

        def admitted(ledger: Ledger, intent: Intent, *more: Any) -> Admission:
            name = "model" if intent.action_class == "model" else f"tool:{intent.tool}"
            if self.point == "before the intent" and not _known(ledger, intent):
                self.at("before the intent", name)
            answer = admit(ledger, intent, *more)
            if answer.fresh:
                self.at("intent committed", name)
            return answer

        def reserved(steps: Durable, name: str) -> StepRunner:
            runner = reserve(steps, name)

            async def run(work: Work) -> JsonValue:
                here = False

                async def watched() -> JsonValue:
                    nonlocal here
                    here = True
                    self.at("in the step", name)
                    result = await work()
                    self.at("effect done", name)
                    return result

                result = await runner(watched)
                if here:
                    self.at("result recorded", name)
                return result

            return run

        # Faults are planted into the real parts: what a type checker is there to keep out.
        Durable.reserve = reserved  # type: ignore[method-assign, assignment]
        Ledger.admit = admitted  # type: ignore[method-assign, assignment]


def _known(ledger: Ledger, intent: Intent) -> bool:
    with ledger.transaction() as tx:
        return bool(tx.rows("standing", key=intent.key))
