"""Where durable runs live, and how runs are put there from outside."""

from __future__ import annotations

from dataclasses import dataclass

ENGINE_FORMAT = "run-1"  # changes when the order of a run's steps does, not with every release
WORKFLOW = "goldspan.run"


@dataclass(frozen=True)
class EngineConfig:
    """Where durable runs live, and how many at once.

    `url` is `sqlite:///FILE` (one worker process) or `postgresql://…` (as many as there are).
    `dead_after_s` is how long a process may be silent before others take its runs over, `beat_s`
    how often it says that it lives, and looks for runs to take over or to wake. `rate` is
    how many runs may start in so many seconds, over all workers; None for as many as there are.
    """

    url: str
    queue: str = "goldspan"
    concurrency: int = 4
    dead_after_s: float = 10.0
    beat_s: float = 1.0
    rate: tuple[int, float] | None = None
    format: str = ENGINE_FORMAT


def sqlalchemy_url(url: str) -> str:
    """The URL as the engine's own library wants it."""
    return url.replace("postgresql://", "postgresql+psycopg://", 1)
