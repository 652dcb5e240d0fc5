"""Redaction of the engine's database, by the store's policy.

Audit events are redacted before they are written to the outbox, and emptied once the store has
them. What a run needs to go on stays as it came while the run lives; once it has ended, and its
result is delivered, its texts are redacted where they stand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from goldspan.harness.ledger import Ledger, Transaction
from goldspan.harness.ledger.database import Scrub
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.redaction import Policy, policy_path

AT_ONCE = 50
PATIENCE_S = 86_400.0  # for a delivery that nobody makes, a wrapped run that nobody starts again


class ScrubsRuns(Protocol):
    """What redacts the engine's own records of runs that have ended."""

    def scrub(self, run_ids: Sequence[str], policy: Policy) -> list[str]:
        """Redact inputs, steps and results of runs; returns the ids of those that have ended."""
        ...


def scrub_events(store: Path) -> Scrub:
    """How events in the outbox, and the turns of sessions, are redacted: by the store's policy,
    read with the first of them. Without `content` nothing is left of a turn. A policy that is
    broken must stop no kill switch: secrets are taken out then, and nothing is sent until it is
    mended."""
    loaded: list[Policy] = []

    def scrub(attributes: dict[str, Any]) -> dict[str, Any]:
        if not loaded:
            try:
                loaded.append(Policy.load(policy_path(store)))
            except ConfigError:
                loaded.append(Policy())
        kept = loaded[0].scrub_attributes(attributes)
        if loaded[0].content != "on":
            kept = {name: value for name, value in kept.items() if name != semconv.SESSION_EARLIER}
        return kept

    return scrub


def scrub_ended(
    ledger: Ledger, policy: Callable[[], Policy], engine: ScrubsRuns | None = None
) -> int:
    """Redact what runs left that have ended; returns how many runs. Repeats are harmless.

    A run whose result is still to be delivered is left for a day, and so is a wrapped one that did
    not complete: it may go on. Without an `engine` only those runs are redacted that no worker
    makes. `policy` is called where there is something to do. Raises `StoreError` where the
    database does not answer, and what `policy` raises.
    """
    done, after = 0, 0.0
    while runs := _ended(ledger, after, engine is not None):
        rules, after = policy(), runs[-1]["at"]
        queued = [row["run_id"] for row in runs if row["queue"] is not None]
        # One that ended a moment ago may not have for the engine, and would go on after a crash.
        over = engine.scrub(queued, rules) if engine is not None and queued else []
        for row in runs:
            if row["queue"] is None or row["run_id"] in over:
                with ledger.transaction() as tx:
                    _scrub(tx, row["run_id"], row["why"], rules)
                done += 1
    return done


def _ended(ledger: Ledger, after: float, all_runs: bool) -> list[dict[str, Any]]:
    with ledger.transaction() as tx:
        return tx.rows(
            "scrubbable_runs",
            after=after,
            queued=int(all_runs),
            long_ago=ledger.clock() - PATIENCE_S,
            most=AT_ONCE,
        )


def _scrub(tx: Transaction, run_id: str, why: str | None, policy: Policy) -> None:
    for row in tx.rows("texts_of_calls", run_id=run_id):
        said = json.loads(row["resolution"]) if row["resolution"] is not None else None
        if said is not None and policy.content != "on" and "result" in said:
            said = {"result": None}
        resolution = None if said is None else json.dumps(policy.scrub_value(said))
        refusal = _text(row["refusal"], policy)
        tx.run("scrub_call", key=row["key"], resolution=resolution, refusal=refusal)
    for row in tx.rows("texts_of_approvals", run_id=run_id):
        proposal, decision = json.loads(row["proposal"]), json.loads(row["decision"] or "{}")
        signed = json.loads(row["reviewers"] or "[]")
        # A call that waits to be looked at later is nothing without its arguments.
        if policy.content != "on" and row["state"] != "sampled":
            proposal = {**proposal, "arguments": {}, "claims": [], "schema": None, "rule": None}
            proposal |= dict.fromkeys(("reason", "draft", "risk", "recommendation", "why"))
            decision = {key: {} for key in decision if key == "arguments"}
            signed = [{**each, "reason": ""} for each in signed]
        tx.run(
            "scrub_approval",
            id=row["id"],
            proposal=_json(proposal, policy),
            decision=_json(decision, policy) if row["decision"] is not None else None,
            context=_text(row["context"], policy),
            reviewers=_json(signed, policy) if row["reviewers"] is not None else None,
        )
    _scrub_turn(tx, run_id, policy)
    tx.run("scrub_run", run_id=run_id, why=_text(why, policy))


def _scrub_turn(tx: Transaction, run_id: str, policy: Policy) -> None:
    """Redacted as it was written, as a rule; not by a ledger that knew no policy, or another."""
    if policy.content != "on":
        tx.run("prune_turn", run_id=run_id)
    for turn in tx.rows("texts_of_turn", run_id=run_id):
        task, answer = _text(turn["task"], policy), _text(turn["answer"], policy)
        tx.run("scrub_turn", run_id=run_id, task=task, answer=answer)


def _json(value: Any, policy: Policy) -> str:
    return json.dumps(policy.scrub_value(value), ensure_ascii=False)


def _text(text: str | None, policy: Policy) -> str | None:
    return None if text is None else policy.scrub_text(text)
