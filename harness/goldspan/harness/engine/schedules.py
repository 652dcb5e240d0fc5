"""Cron schedules on the engine: each due time puts one fresh run into the queue.

The engine fires a due time under an id made of schedule and time, so several workers fire it once.
What fell due while no worker ran is not made up for.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dbos import DBOS
from dbos import error as dbos_error

from goldspan.harness.engine.workflow import Engine
from goldspan.harness.operation.intake import Schedule, tell_queued
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.run_events import event_id
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, GoldspanError, InternalError

SCHEDULED = "goldspan.scheduled"
_log = logging.getLogger(__name__)


def apply_schedules(schedules: Sequence[Schedule]) -> None:
    """Make these the schedules of this process's engine, in the place of all that were there.

    Raises `ConfigError` for a cron expression that is none.
    """
    for schedule in schedules:
        try:
            DBOS.apply_schedules(
                [
                    {
                        "schedule_name": schedule.name,
                        "workflow_fn": fire,
                        "schedule": schedule.cron,
                        "cron_timezone": schedule.timezone,
                        "context": schedule.model_dump(mode="json"),
                    }
                ]
            )
        except dbos_error.DBOSException as error:
            raise ConfigError(
                str(error).removeprefix("DBOS Error: "),
                where=schedule.name,
                remedy="such as: 0 7 * * 1-5",
            ) from None
    kept = {schedule.name for schedule in schedules}
    for known in DBOS.list_schedules(workflow_name=SCHEDULED):
        if known["schedule_name"] not in kept:
            DBOS.delete_schedule(known["schedule_name"])


@DBOS.workflow(name=SCHEDULED)
def fire(due: datetime, asked: Any) -> None:
    """Put the run of one due time into the queue. In the engine's JSON that time is a text."""
    engine = Engine.current
    if engine is None:
        raise InternalError("a schedule fired in a process without an engine")
    schedule = Schedule.model_validate(asked)
    at = datetime.fromisoformat(str(due))
    try:
        spec = schedule.spec(at)
    except GoldspanError as error:
        _log.error("schedule %s: %s", schedule.name, error)
        with engine.ledger.transaction() as tx:
            about = {
                semconv.INCIDENT_KIND: "schedule",
                semconv.INCIDENT_SEVERITY: "error",
                semconv.RUN_SOURCE: f"schedule:{schedule.name}",
                semconv.REASON: str(error),
            }
            known = event_id(semconv.INCIDENT, schedule.name, at.isoformat())
            put(tx, AuditEvent(known, semconv.INCIDENT, at.timestamp(), about))
        return
    engine.enqueue(spec)
    tell_queued(engine.ledger, [spec], f"schedule:{schedule.name}")
