"""A circuit breaker for each tool, shared by all workers through the ledger's database.

Closed: calls go through, and failures in a row are counted. Open: no call goes through. After the
cooldown one call, the probe, claims the breaker by one conditional UPDATE: half-open. Its success
closes the breaker, its failure opens it again, and when its process dies another call may claim it
(Nygard, Release It!, 2nd ed., 2018). It is no guard that judges a call alone: what it says is
decided in the transaction that admits the call, so that no worker is behind another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from goldspan.harness.failure.policy import FailurePolicy
from goldspan.harness.ledger import (
    Admission,
    Intent,
    Ledger,
    Reached,
    Settlement,
    Transaction,
    Want,
)
from goldspan.tracing import semconv

State: TypeAlias = Literal["closed", "open", "half"]
Note: TypeAlias = Callable[[Transaction, str, Mapping[str, Any]], object]
GUARD = "breaker"
CLEAN_S = 1.0  # so long a tool that was found to work is not looked up again by this process


@dataclass(frozen=True)
class Breaker:
    """One tool's breaker. `failures` are those in a row, `threshold` how many open it; `retry_at`
    is when the tool may be called again, in seconds since the epoch, None while it may be."""

    tool: str
    state: State
    failures: int
    threshold: int
    retry_at: float | None = None
    probe_key: str | None = None
    reason: str | None = None

    def attributes(self) -> dict[str, Any]:
        """The state as an event's attributes."""
        return {
            semconv.TOOL_NAME: self.tool,
            semconv.BREAKER_STATE: self.state,
            semconv.BREAKER_FAILURES: self.failures,
            semconv.BREAKER_THRESHOLD: self.threshold,
            semconv.BREAKER_RETRY_AT: None if self.retry_at is None else iso(self.retry_at),
        }


@dataclass
class Breakers:
    """The breakers of one ledger.

    `note` is told of each change, as an event's name and attributes, within the transaction that
    makes it: an outbox can write it down there, and a recorder can emit it. Whether a tool that
    works still does is looked up at most once in `clean_s` seconds a process, so that a success
    costs no transaction; a success within that time does not end a row of failures.
    """

    ledger: Ledger
    policy: FailurePolicy = field(default_factory=FailurePolicy)
    note: Note = lambda _tx, _name, _attributes: None
    clean_s: float = CLEAN_S
    _clean: dict[str, float] = field(default_factory=dict)

    def admit(
        self,
        intent: Intent,
        wants: Sequence[Want] = (),
        settled: Sequence[Settlement] = (),
        reached: Reached | None = None,
    ) -> Admission:
        """`Ledger.admit`, with the probe: of the calls that come after the cooldown one goes
        through. A call that finds its tool down is `open`, so that its run pauses; where the tool
        is one to go on without, it is refused for good, so that a replay finds it refused too."""
        answer = self.ledger.admit(intent, wants, settled, reached)
        if answer.standing != "open":
            return answer
        if self._claim(intent.tool, intent.key):
            answer = self.ledger.admit(intent, wants, (), reached)
            if answer.standing != "admitted":
                self._release(intent.tool, intent.key)
            return answer
        reason = self.reason(intent.tool)
        if self.policy.rule(intent.tool).when_down == "pause":
            return Admission("open", guard=GUARD, reason=reason)
        return self.ledger.refuse(intent, GUARD, "deny", reason)

    def may_try(self, tool: str, key: str) -> bool:
        """Whether this attempt of call `key` may be made: the breaker is closed, or the call is
        its probe, or becomes it."""
        if self.is_clean(tool):
            return True
        found = self.find(tool)
        if found.state == "closed":
            if found.failures == 0:
                self._clean[tool] = self.ledger.clock()
            return True
        return found.probe_key == key or self._claim(tool, key)

    def failed(self, tool: str, key: str, reason: str) -> Breaker:
        """Count a failure of a tool; returns the breaker as it is then."""
        policy = self.policy.breaker_of(tool)
        now = self.ledger.clock()
        self._clean.pop(tool, None)
        with self.ledger.transaction() as tx:
            tx.rows(
                "count_failure", tool=tool, at=now, forgotten=now - policy.within_s, reason=reason
            )
            opens = tx.run(
                "open_breaker",
                tool=tool,
                key=key,
                at=now,
                threshold=policy.failures,
                retry_at=now + policy.cooldown_s,
            )
            found = self._read(tx, tool)
            if opens == 1:
                self._opened(tx, found)
        return found

    def worked(self, tool: str, key: str) -> None:
        """A tool worked: the row of failures has ended, and a probe closes the breaker."""
        if self.is_clean(tool):
            return
        with self.ledger.transaction() as tx:
            closes = tx.run("close_breaker", tool=tool, key=key) == 1
            if not closes:
                tx.run("end_row_of_failures", tool=tool)
            found = self._read(tx, tool)
            if closes:
                self._changed(tx, found, f"{tool} works again")
        if found.state == "closed":
            self._clean[tool] = self.ledger.clock()

    def find(self, tool: str) -> Breaker:
        """The breaker of a tool; closed, where nothing is known of it."""
        with self.ledger.transaction() as tx:
            return self._read(tx, tool)

    def all(self) -> list[Breaker]:
        """The breakers that are not closed, and those of tools that have failed lately."""
        with self.ledger.transaction() as tx:
            return [self._breaker(row) for row in tx.rows("breaker_states")]

    def reason(self, tool: str) -> str:
        """Why a tool is left alone, and until when, worded for a person and for the model."""
        found = self.find(tool)
        if found.state == "closed":  # since a moment ago
            return f"{tool} was left alone, and works again"
        until = "" if found.retry_at is None else f", until {iso(found.retry_at)}"
        why = f" ({found.reason})" if found.reason else ""
        return f"{tool} failed {found.failures} times in a row{why} and is left alone{until}"

    def _claim(self, tool: str, key: str) -> bool:
        now = self.ledger.clock()
        until = now + self.policy.breaker_of(tool).probe_s
        with self.ledger.transaction() as tx:
            claimed = tx.run("claim_probe", tool=tool, key=key, now=now, until=until) == 1
            if claimed:
                self._changed(tx, self._read(tx, tool), f"one call probes {tool}")
        return claimed

    def _release(self, tool: str, key: str) -> None:
        with self.ledger.transaction() as tx:
            if tx.run("release_probe", tool=tool, key=key, now=self.ledger.clock()) == 1:
                self._changed(tx, self._read(tx, tool), f"the call that was to probe {tool} ended")

    def _opened(self, tx: Transaction, found: Breaker) -> None:
        reason = f"{found.tool} failed {found.failures} times in a row: {found.reason}"
        self._changed(tx, found, reason)
        incident = {
            semconv.INCIDENT_KIND: GUARD,
            semconv.INCIDENT_SEVERITY: "error",
            semconv.INCIDENT_TOOL: found.tool,
            semconv.REASON: reason,
        }
        self.note(tx, semconv.INCIDENT, incident)

    def _changed(self, tx: Transaction, found: Breaker, reason: str) -> None:
        attributes = {**found.attributes(), semconv.REASON: reason}
        self.note(tx, semconv.BREAKER_CHANGED, attributes)

    def is_clean(self, tool: str) -> bool:
        """Whether the tool was found to work a moment ago: asks no database."""
        since = self._clean.get(tool)
        return since is not None and 0 <= self.ledger.clock() - since < self.clean_s

    def _read(self, tx: Transaction, tool: str) -> Breaker:
        rows = tx.rows("breaker_state", tool=tool)
        return self._breaker(rows[0]) if rows else self._breaker({"tool": tool})

    def _breaker(self, row: Mapping[str, Any]) -> Breaker:
        return Breaker(
            tool=row["tool"],
            state=row.get("state", "closed"),
            failures=row.get("failures", 0),
            threshold=self.policy.breaker_of(row["tool"]).failures,
            retry_at=row.get("retry_at"),
            probe_key=row.get("probe_key"),
            reason=row.get("reason"),
        )


def iso(seconds: float) -> str:
    """A time of the ledger as ISO 8601, UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
