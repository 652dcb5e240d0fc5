"""One life of a run: what outlives its process, and what a later life takes over."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from goldspan.harness.failure.apart import apart
from goldspan.harness.guards import TypicalCost
from goldspan.harness.ledger import Ledger
from goldspan.harness.steps import Steps, retold, told
from goldspan.harness.tools import Environment, JsonValue
from goldspan.tracing.errors import ConfigError, GoldspanError, MeasurementError


@dataclass(frozen=True)
class Life:
    """What an engine gives a run. `segment` says which life this is, from 1; it is None where
    there is only one, since nothing outlives the process. `fence` does not return in a process
    that was taken for dead."""

    ledger: Ledger
    steps: Steps
    segment: int | None = None
    fence: Callable[[], None] = lambda: None


async def prepare(
    life: Life,
    environment: Environment,
    workspace: Path,
    setup: Mapping[str, Any],
    judge: Callable[[], TypicalCost | None],
) -> TypicalCost | None:
    """Make the run's world, as its first step; returns what `judge` says a run costs, the same in
    every life: other runs end meanwhile.

    Raises `MeasurementError` where the world cannot be made, as on a full disk: no agent's fault;
    `ConfigError` as `judge` does. A life that does it anew clears what a process left that died in
    it.
    """

    async def work() -> JsonValue:
        try:
            typical = await life.steps.transact(judge)
        except ConfigError as error:
            return {"refused": told(error)}
        try:
            if life.segment is not None and workspace.exists():
                await apart(shutil.rmtree, workspace)
            await apart(environment.prepare, workspace, setup)
        except MeasurementError as error:
            return {"failure": told(error)}
        except GoldspanError:
            raise
        except Exception as error:  # noqa: BLE001  whatever a user's environment raises
            failure = MeasurementError(
                f"the environment cannot be prepared: {type(error).__name__}: {error}",
                where=str(workspace),
                remedy="see that its disk has room, and what the task's setup asks for",
            )
            return {"failure": told(failure)}
        return {"typical": None if typical is None else asdict(typical)}

    recorded: Any = await life.steps.reserve("prepare")(work)
    if "failure" in recorded:
        raise retold(recorded["failure"])
    if "refused" in recorded:
        why = recorded["refused"]
        raise ConfigError(why["message"], where=why["where"], remedy=why["remedy"])
    if "typical" not in recorded:  # by a version that did not record it
        return await life.steps.transact(judge)
    typical = recorded["typical"]
    return None if typical is None else TypicalCost(**typical)
