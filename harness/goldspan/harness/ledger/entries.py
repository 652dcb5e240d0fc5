"""What is written into the ledger, and what it answers. All of it is JSON at the edge."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

Standing: TypeAlias = Literal["admitted", "refused", "killed", "open"]


@dataclass(frozen=True)
class Want:
    """So much of one limit, for one call.

    `scope` says whose limit it is (`run:ID`, `cap:refund:2026-11-21`, `sub:ID`), `unit` what is
    counted (`tool_calls`, `tokens`, `usd`, or a name of the guard's own). The limit that a guard
    states counts: a limit that was raised is known to the ledger with the next want. `ruling` is
    what becomes of a call that the limit has no room for.
    """

    scope: str
    unit: str
    amount: float
    limit: float
    guard: str
    ruling: Literal["deny", "stop"] = "stop"


@dataclass(frozen=True)
class Intent:
    """One call that is about to be made. `key` is made of run, step and arguments, of no clock.

    `digest` is that of tool and arguments alone: an approval is bound to it. `approval` names the
    approval that this call uses up, None where it needs none. `action_class` is the tool's; a
    model call's is `model`.
    """

    key: str
    run_id: str
    step: int
    tool: str
    digest: str
    agent: str = ""
    action_class: str = "read"
    approval: str | None = None

    @classmethod
    def of(
        cls,
        run_id: str,
        step: int,
        tool: str,
        arguments: Any,
        *,
        agent: str = "",
        action_class: str = "read",
        approval: str | None = None,
    ) -> Intent:
        """The intent of a call; its key and digest are made here and nowhere else."""
        digest = call_digest(tool, arguments)
        key = hashlib.sha256(f"{run_id}\0{step}\0{digest}".encode()).hexdigest()[:32]
        return cls(key, run_id, step, tool, digest, agent, action_class, approval)


@dataclass(frozen=True)
class Admission:
    """The ledger's answer to an intent.

    `standing` is `admitted`; `refused`, with the guard, its ruling and the reason; `killed`, by a
    kill flag on the run, its agent or all; or `open`, by the tool's breaker. The last two are not
    kept: the same intent is judged anew. `fresh` is True only for the process whose insert made
    the row: where it is False and the call has no recorded result, nobody knows whether the call
    was made.
    """

    standing: Standing
    fresh: bool = False
    guard: str = ""
    ruling: Literal["deny", "stop"] = "stop"
    reason: str = ""


@dataclass(frozen=True)
class Settlement:
    """What a call really used, by unit. A unit that is not named stays as it was reserved."""

    key: str
    used: Mapping[str, float] = field(default_factory=dict)


def call_digest(tool: str, arguments: Any) -> str:
    """SHA-256 over tool and canonical arguments, 32 hex digits: the same call, the same digest."""
    text = json.dumps([tool, arguments], sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
