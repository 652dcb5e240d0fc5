"""Where durable runs live, and how runs are put there from outside."""

from __future__ import annotations

from dataclasses import dataclass

from dbos import DBOS, DBOSClient

from goldspan.harness.engine.serializer import JsonSerializer
from goldspan.harness.run_spec import RunSpec

ENGINE_FORMAT = "run-1"  # changes when the order of a run's steps does, not with every release
WORKFLOW = "goldspan.run"


@dataclass(frozen=True)
class EngineConfig:
    """Where durable runs live, and how many at once.

    `url` is `sqlite:///FILE` (one worker process) or `postgresql://…` (as many as there are).
    `dead_after_s` is how long a process may be silent before others take its runs over, `beat_s`
    how often it says that it lives, and looks for runs to take over or to wake.
    """

    url: str
    queue: str = "goldspan"
    concurrency: int = 4
    dead_after_s: float = 10.0
    beat_s: float = 1.0
    format: str = ENGINE_FORMAT


def enqueue_from_outside(config: EngineConfig, specs: list[RunSpec]) -> list[str]:
    """Put runs into the queue from a process that makes none; returns their ids. A run of such an
    id that is there stays as it is."""
    DBOS.migrate(sqlalchemy_url(config.url))
    client = DBOSClient(
        system_database_url=sqlalchemy_url(config.url),
        serializer=JsonSerializer(),
        application_name="goldspan",
    )
    try:
        for spec in specs:
            client.enqueue(
                {
                    "workflow_name": WORKFLOW,
                    "queue_name": config.queue,
                    "workflow_id": spec.run_id,
                    "app_version": config.format,
                },
                spec.to_json(),
            )
    finally:
        client.destroy()
    return [spec.run_id for spec in specs]


def sqlalchemy_url(url: str) -> str:
    """The URL as the engine's own library wants it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
