"""What a durable run is asked to do: all of it JSON, since any worker may take it over."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class RunSpec:
    """One run as it lies in the queue. It holds no secrets and no objects: a worker finds model,
    store and workspaces in its own settings.

    `agent` is the agent's name, `folder` that of its version, and `digest` what the folder held
    when the run was asked for: a run does not go on under another prompt. `task` is a task as a
    queue file has it, with `now`.
    """

    run_id: str
    agent: str
    folder: str
    digest: str
    task: dict[str, Any]
    repeat: int = 0
    seed: int = 0
    batch: str | None = None
    model_name: str | None = None
    provider: str | None = None
    attributes: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)

    @classmethod
    def of_json(cls, value: dict[str, Any]) -> RunSpec:
        """From JSON."""
        return cls(**value)


def queued_run_id(batch: str, task: str) -> str:
    """The id of a task's run in a batch, 32 hex digits: the same file twice is one intake."""
    return hashlib.sha256(f"{batch}\0{task}".encode()).hexdigest()[:32]
