"""The ledger: admits calls, reserves what they may use, settles what they used.

Whatever must be exact while several calls, workers and machines go on at once is decided here, in
one short transaction: the intent is durable before its effect, and limits cannot be raced past.
Every statement is idempotent by the call's key, so a run that starts again asks again.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from goldspan.harness.ledger.database import MEMORY, Database, Row, Scrub, Transaction
from goldspan.harness.ledger.entries import Admission, Intent, Settlement, Want

Reached: TypeAlias = Callable[[Transaction, Intent, Want, str], object]


class Ledger:
    """The exact state of all runs that share one database."""

    def __init__(
        self,
        url: str = MEMORY,
        *,
        clock: Callable[[], float] = time.time,
        scrub: Scrub | None = None,
    ) -> None:
        """Open the database, and bring its tables to the newest form. Raises `StoreError` where it
        cannot be opened, `ConfigError` where the URL is of another kind. `clock` returns seconds
        since the epoch; `scrub` redacts the attributes of events in the outbox."""
        self.database = Database(url, scrub)
        self.clock = clock

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """One transaction, for what stands beside admitting and settling."""
        with self.database.transaction() as tx:
            yield tx

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def admit(
        self,
        intent: Intent,
        wants: Sequence[Want] = (),
        settled: Sequence[Settlement] = (),
        reached: Reached | None = None,
    ) -> Admission:
        """Judge a call, and write it down: kill flag, breaker, approval, then every want or none.

        A call that was judged before gets the same answer, with `fresh=False`; a kill flag stops
        it all the same. `settled` are settlements of earlier calls, which ride along. `reached` is
        told of the want that a limit had no room for, and the reason, within the transaction that
        writes the refusal down.
        """
        try:
            with self.transaction() as tx:
                self._settle(tx, settled)
                if tx.run("insert_intent", **self._row(intent, wants), **_scopes(intent)) != 1:
                    return self._standing(tx, intent)
                self._use_approval(tx, intent)
                for want in sorted(wants, key=lambda w: (w.scope, w.unit)):
                    _reserve(tx, want)
        except _Refused as refused:
            return self._refuse(intent, refused, settled, reached)
        return Admission("admitted", fresh=True)

    def refuse(self, intent: Intent, guard: str, ruling: str, reason: str) -> Admission:
        """Write down that a guard refused a call. A call that was admitted before stays so: guards
        that judge again, in a later life of the run, do not take a call back that was made."""
        verdict = Admission("refused", False, guard, "deny" if ruling == "deny" else "stop", reason)
        return self._refuse(intent, _Refused(verdict), ())

    def settle(self, settlements: Sequence[Settlement]) -> None:
        """Put what calls really used in the place of what they had reserved. Once a call."""
        with self.transaction() as tx:
            self._settle(tx, settlements)

    def kill_flags(self) -> dict[str, str]:
        """Every scope that is stopped (`all`, `agent:NAME`, `run:ID`), and by whom and why."""
        with self.transaction() as tx:
            return {row["scope"]: _stopped(row) for row in tx.rows("kill_scopes")}

    def used(self, scope: str, unit: str) -> tuple[float, float] | None:
        """What is used of a limit, and the limit; None where nothing was."""
        with self.transaction() as tx:
            rows = tx.rows("used", scope=scope, unit=unit)
        return (rows[0]["used"], rows[0]["lim"]) if rows else None

    def resolve(self, key: str, resolution: dict[str, Any]) -> bool:
        """What a person says of a call that a crash left unknown: `{"result": …}` where it was
        made, `{"made": false}` where it was not. False where somebody has said it before."""
        text = json.dumps(resolution)
        with self.transaction() as tx:
            return tx.run("resolve", key=key, resolution=text) == 1

    def resolution(self, key: str) -> dict[str, Any] | None:
        """What a person said of a call, or None."""
        with self.transaction() as tx:
            return _resolution(tx, key)

    def take_resolution(self, key: str) -> dict[str, Any] | None:
        """As `resolution`, before the call is made. That it was not made is taken away: it was said
        of the attempts before, and of the next one somebody must say it anew."""
        with self.transaction() as tx:
            said = _resolution(tx, key)
            if said is None or "result" in said:
                return said
            return said if tx.run("take_resolution", key=key) == 1 else None

    def _row(self, intent: Intent, wants: Sequence[Want]) -> dict[str, Any]:
        reserved = json.dumps([[w.scope, w.unit, w.amount] for w in wants]) if wants else None
        return {
            "key": intent.key,
            "run_id": intent.run_id,
            "step": intent.step,
            "tool": intent.tool,
            "agent": intent.agent,
            "action_class": intent.action_class,
            "digest": intent.digest,
            "approval": intent.approval,
            "reserved": reserved,
            "at": self.clock(),
        }

    def _use_approval(self, tx: Transaction, intent: Intent) -> None:
        if intent.approval is None:
            return
        if tx.run("use_approval", approval=intent.approval, digest=intent.digest) != 1:
            reason = "the approval is not one of exactly this call, or was used before"
            raise _Refused(Admission("refused", False, "approval", "deny", reason))

    def _refuse(
        self,
        intent: Intent,
        refused: _Refused,
        settled: Sequence[Settlement],
        reached: Reached | None = None,
    ) -> Admission:
        verdict = refused.admission
        refusal = json.dumps([verdict.guard, verdict.ruling, verdict.reason])
        row = self._row(intent, ())
        del row["approval"], row["reserved"]
        with self.transaction() as tx:
            self._settle(tx, settled)
            if tx.run("insert_refusal", **row, refusal=refusal) == 1:
                if reached is not None and refused.want is not None:
                    reached(tx, intent, refused.want, verdict.reason)
                return verdict
            return self._standing(tx, intent)

    def _standing(self, tx: Transaction, intent: Intent) -> Admission:
        killed = _kill_flag(tx, intent.run_id, intent.agent)
        if killed is not None:
            return killed
        rows = tx.rows("standing", key=intent.key)
        if not rows:
            return Admission("open", guard="breaker", reason=f"{intent.tool} does not work now")
        if rows[0]["refusal"] is None:
            return Admission("admitted")
        guard, ruling, reason = json.loads(rows[0]["refusal"])
        return Admission("refused", False, guard, ruling, reason)

    @staticmethod
    def _settle(tx: Transaction, settlements: Sequence[Settlement]) -> None:
        for one in sorted(settlements, key=lambda s: s.key):
            rows = tx.rows("settle", key=one.key, settled=json.dumps(dict(one.used)))
            reserved = rows[0]["reserved"] if rows else None
            for scope, unit, amount in sorted(json.loads(reserved or "[]")):
                delta = one.used.get(unit, amount) - amount
                if delta:
                    tx.run("adjust", scope=scope, unit=unit, delta=delta)


def _resolution(tx: Transaction, key: str) -> dict[str, Any] | None:
    rows = tx.rows("resolution", key=key)
    found = rows[0]["resolution"] if rows else None
    return None if found is None else dict(json.loads(found))


class _Refused(Exception):
    def __init__(self, admission: Admission, want: Want | None = None) -> None:
        super().__init__(admission.reason)
        self.admission = admission
        self.want = want


def _scopes(intent: Intent) -> dict[str, str]:
    return {"run_scope": f"run:{intent.run_id}", "agent_scope": f"agent:{intent.agent}"}


def _kill_flag(tx: Transaction, run_id: str, agent: str) -> Admission | None:
    rows = tx.rows("kill_flags", run_scope=f"run:{run_id}", agent_scope=f"agent:{agent}")
    if not rows:
        return None
    return Admission("killed", guard=rows[0]["scope"], reason=_stopped(rows[0]))


def _stopped(flag: Row) -> str:
    return f"stopped by {flag['by_whom']} ({flag['scope']}): {flag['reason']}"


def _reserve(tx: Transaction, want: Want) -> None:
    taken = {"scope": want.scope, "unit": want.unit, "limit": want.limit}
    if tx.run("reserve", amount=want.amount, **taken) == 1:
        return
    tx.run("insert_limit", **taken)  # another process may have been first: room is asked for again
    if tx.run("reserve", amount=want.amount, **taken) == 1:
        return
    (row,) = tx.rows("used", scope=want.scope, unit=want.unit)
    left = max(want.limit - row["used"], 0)
    reason = (
        f"{want.amount:g} {want.unit} wanted, {left:g} left of the limit of {want.limit:g}"
        f" ({want.scope})"
    )
    raise _Refused(Admission("refused", False, want.guard, want.ruling, reason), want)
