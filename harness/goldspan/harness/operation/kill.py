"""The kill switch: no further model or tool call begins while a flag stands.

A flag is a row in the ledger, and a call's admission looks at it in its own transaction: from the
row's commit on no call is admitted, in any worker. Workers also poll the flags (`worker.POLL_S`),
and cut what is under way. Nothing here needs the engine: it must work at 3 AM, at once.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from goldspan.harness.ledger import Ledger, Transaction
from goldspan.harness.ledger.runs import RunState
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.run_events import event_id
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, InputError

ALL = "all"


@dataclass(frozen=True)
class KillFlag:
    """A standing order to stop. `scope` is `all`, `agent:NAME` or `run:ID`; `at` is seconds since
    the epoch."""

    scope: str
    by: str
    reason: str
    at: float


@dataclass(frozen=True)
class Held:
    """Runs of a flag's scope that have not ended: `going` are under way, `killed` wait for a flag
    to go, `waiting` for something else."""

    going: int
    killed: int
    waiting: int


@dataclass(frozen=True)
class Resumed:
    """What `resume` did. `runs` are released now; `still` are the flags that stand after it."""

    scope: str
    runs: int
    still: tuple[KillFlag, ...]


@dataclass(frozen=True)
class KillSwitch:
    """The kill flags of one ledger."""

    ledger: Ledger

    def stop(self, scope: str, *, by: str, reason: str) -> KillFlag:
        """Stop a scope, from now on; returns the flag that stands, which may be an earlier one.

        Flag and audit event are one transaction. Raises `ConfigError` where name or reason is
        missing.
        """
        _check_scope(scope)
        if not reason.strip():
            raise ConfigError("is empty", where="--because", remedy="say why, in some words")
        with self.ledger.transaction() as tx:
            flag = KillFlag(scope, _name(by), reason.strip(), self.ledger.clock())
            told = {"scope": scope, "by_whom": flag.by, "reason": flag.reason, "at": flag.at}
            if tx.run("put_kill", **told) == 1:
                _tell(tx, semconv.KILL, scope, flag.by, flag.reason, flag.at)
                return flag
            return next(each for each in _flags(tx) if each.scope == scope)

    def resume(self, scope: str, *, by: str) -> Resumed:
        """Let a scope go on: its flag goes, and the next sweep of a worker wakes its runs.

        A run that waits because its agent version changed is released too: it goes on if the
        version is what it was. Raises `InputError` where there is nothing to release, and says
        what the run waits for.
        """
        _check_scope(scope)
        held = self.held(scope).killed
        with self.ledger.transaction() as tx:
            at = self.ledger.clock()
            lifted = tx.run("lift_kill", scope=scope) == 1
            still = tuple(_flags(tx))
            if not lifted:
                held = self._release(tx, scope, _name(by), at, still)
            _tell(tx, semconv.KILL_LIFTED, scope, _name(by), None, at)
        return Resumed(scope, held, still)

    def flags(self) -> list[KillFlag]:
        """The flags that stand, the oldest first."""
        with self.ledger.transaction() as tx:
            return _flags(tx)

    def held(self, scope: str) -> Held:
        """What the runs of a scope do now."""
        with self.ledger.transaction() as tx:
            rows = tx.rows("runs_in_scope", scope=scope)
        going = sum(row["runs"] for row in rows if row["state"] != "parked")
        parked = [row for row in rows if row["state"] == "parked"]
        killed = sum(r["runs"] for r in parked if str(r["waits_for"]).startswith("kill:"))
        return Held(going, killed, sum(row["runs"] for row in parked) - killed)

    def known_agents(self) -> list[str]:
        """The agents that have runs here."""
        with self.ledger.transaction() as tx:
            return [row["agent"] for row in tx.rows("known_agents")]

    def _release(
        self, tx: Transaction, scope: str, by: str, at: float, still: tuple[KillFlag, ...]
    ) -> int:
        kind, _, run_id = scope.partition(":")
        if kind != "run":
            raise InputError("is not stopped", where=scope, remedy=_standing(still))
        why = f"released by {by}"
        if tx.run("release_run", run_id=run_id, why=why, at=at) == 1:
            return 1
        rows = tx.rows("run_state", run_id=run_id)
        if not rows:
            raise InputError("no such run", where=run_id, remedy="goldspan runs lists them")
        raise _not_ours(RunState(**rows[0]), still)


def _not_ours(run: RunState, still: tuple[KillFlag, ...]) -> InputError:
    """Why a run cannot be released by taking away its own flag."""
    if run.state != "parked":
        how = run.outcome if run.state == "ended" else run.state
        return InputError(f"does not wait: it is {how}", where=run.run_id)
    kind, _, subject = str(run.waits_for).partition(":")
    remedy = {
        "approval": f"goldspan approvals show {subject}",
        "unknown": f"goldspan approvals unknown {subject} says what became of the call",
        "breaker": f"it goes on when {subject} works again",
        "kill": f"goldspan resume {_option(subject)}"
        if subject in {flag.scope for flag in still}
        else "no flag holds it: the next worker that beats wakes it",
    }.get(kind)
    return InputError(f"waits for {run.waits_for}", where=run.run_id, remedy=remedy)


def _option(scope: str) -> str:
    kind, _, name = scope.partition(":")
    return f"--{kind} {name}".strip()


def _standing(flags: tuple[KillFlag, ...]) -> str:
    if not flags:
        return "nothing is stopped"
    return "stopped are: " + ", ".join(flag.scope for flag in flags)


def _check_scope(scope: str) -> None:
    kind, _, name = scope.partition(":")
    if scope != ALL and (kind not in ("agent", "run") or not name):
        raise ConfigError(f"{scope!r} is no scope", remedy="all, agent:NAME or run:ID")


def _name(by: str) -> str:
    if not by.strip():
        raise ConfigError("is empty", where="--as", remedy="give your name")
    return by.strip()


def _flags(tx: Transaction) -> list[KillFlag]:
    rows = tx.rows("kill_scopes")
    return [KillFlag(row["scope"], row["by_whom"], row["reason"], row["at"]) for row in rows]


def _tell(tx: Transaction, name: str, scope: str, by: str, reason: str | None, at: float) -> None:
    kind, _, subject = scope.partition(":")
    about: dict[str, Any] = {semconv.KILL_SCOPE: scope, semconv.KILL_BY: by, semconv.REASON: reason}
    if kind == "run":
        about[semconv.RUN_ID] = subject
    if kind == "agent":
        about[semconv.AGENT_NAME] = subject
    # The same scope is stopped again another day: nothing of its state makes an id of its own.
    put(tx, AuditEvent(event_id(name, scope, uuid.uuid4().hex), name, at, about))
