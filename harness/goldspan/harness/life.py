"""One life of a run: what outlives its process, and what a later life takes over."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldspan.harness.failure.apart import apart
from goldspan.harness.ledger import Ledger
from goldspan.harness.steps import Steps, retold, told
from goldspan.harness.tools import Environment, JsonValue
from goldspan.tracing.errors import GoldspanError, MeasurementError


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
    life: Life, environment: Environment, workspace: Path, setup: Mapping[str, Any]
) -> None:
    """Make the run's world, as its first step.

    Raises `MeasurementError` where that fails, as on a full disk: no agent's fault. A life that
    does it anew clears what a process left that died in it.
    """

    async def work() -> JsonValue:
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
        return {}

    recorded: Any = await life.steps.reserve("prepare")(work)
    if "failure" in recorded:
        raise retold(recorded["failure"])
