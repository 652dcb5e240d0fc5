"""Results go out: as a file, to a webhook, or as an event in the store.

Who waits for a run need not ask for it. What is to be delivered, and how often it was tried,
stands in the ledger; a worker that dies half way delivers again, so a receiver may get a result
twice, with the same run id. Nothing leaves this machine unless a webhook is named.
"""

from __future__ import annotations

import ipaddress
import json
import os
import random
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import urlsplit

from goldspan.harness.ledger import Ledger, Transaction
from goldspan.harness.operation.outbox import AuditEvent, put
from goldspan.harness.run_events import event_id
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, GoldspanError
from goldspan.tracing.files import write_text

TOKEN_VARIABLE = "GOLDSPAN_WEBHOOK_TOKEN"
AT_ONCE = 50
TIMEOUT_S = 10.0
LEASE_S = 60.0  # after which another worker may try what this one began
FIRST_WAIT_S = 5.0
LONGEST_WAIT_S = 3600.0
MOST_ATTEMPTS = 12


class Refused(GoldspanError):
    """The receiver does not want it, now or later."""


class Target(Protocol):
    """Where results go. `name` is kept and shown: it holds no secret."""

    @property
    def name(self) -> str:
        """How it is called in the ledger and in events."""
        ...

    def send(self, run_id: str, result: Mapping[str, Any]) -> None:
        """Deliver one result. Raises `Refused` where trying again is of no use, and any other
        exception where it may be."""
        ...


@dataclass(frozen=True)
class FileTarget:
    """A folder with one JSON file a run, which appears whole or not at all."""

    folder: Path

    @property
    def name(self) -> str:
        """`file:` and the folder."""
        return f"file:{self.folder}"

    def send(self, run_id: str, result: Mapping[str, Any]) -> None:
        """Write the file."""
        text = json.dumps(result, ensure_ascii=False, indent=2) + "\n"
        write_text(self.folder / f"{run_id}.json", text)


@dataclass(frozen=True)
class WebhookTarget:
    """An address that gets each result as a POST of JSON, with the run's id as `Idempotency-Key`.

    A token goes along as `Authorization: Bearer`. Redirects are not followed.
    """

    url: str
    token: str | None = None

    @property
    def name(self) -> str:
        """The address, without user, password and query."""
        parts = urlsplit(self.url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}{parts.path}"

    def send(self, run_id: str, result: Mapping[str, Any]) -> None:
        """Post it."""
        headers = {"content-type": "application/json", "idempotency-key": run_id}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        body = json.dumps(result, ensure_ascii=False).encode()
        request = urllib.request.Request(self.url, body, headers, method="POST")
        try:
            with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S):
                pass
        except urllib.error.HTTPError as error:
            error.close()
            if error.code < 500 and error.code not in (408, 425, 429):
                raise Refused(f"answered {error.code} {error.reason}", where=self.name) from None
            raise OSError(f"answered {error.code} {error.reason}") from None


@dataclass(frozen=True)
class EventTarget:
    """The store: the delivery's own event carries the result."""

    name: str = "outbox"

    def send(self, run_id: str, result: Mapping[str, Any]) -> None:
        """Nothing more: the event is written beside the delivery's record."""


@dataclass(frozen=True)
class Delivery:
    """Delivers the results of runs that end from now on. `result_of` gives what a run came to, or
    None while that is not known. `hurries` says that what is left is for another time."""

    ledger: Ledger
    targets: Sequence[Target]
    result_of: Callable[[str], Mapping[str, Any] | None]
    hurries: Callable[[], bool] = lambda: False

    def begin(self) -> None:
        """Note the targets: what ended before a target was first named is not delivered there."""
        with self.ledger.transaction() as tx:
            for target in self.targets:
                tx.run("note_target", target=target.name, since=self.ledger.clock())

    def once(self) -> int:
        """Deliver what is due; returns how many results arrived."""
        return sum(self._to(target) for target in self.targets)

    def _to(self, target: Target) -> int:
        arrived = 0
        with self.ledger.transaction() as tx:
            now = self.ledger.clock()
            rows = tx.rows("due_deliveries", target=target.name, now=now, most=AT_ONCE)
        for row in rows:
            if self.hurries():
                break
            result = self.result_of(row["run_id"])
            if result is not None:
                arrived += self._one(target, row["run_id"], result)
        return arrived

    def _one(self, target: Target, run_id: str, result: Mapping[str, Any]) -> bool:
        now = self.ledger.clock()
        about = {"run_id": run_id, "target": target.name}
        with self.ledger.transaction() as tx:
            claimed = tx.rows("claim_delivery", **about, now=now, until=now + LEASE_S)
        if not claimed:  # another worker has it
            return False
        attempt = int(claimed[0]["attempts"])
        problem, final = None, True
        try:
            target.send(run_id, result)
        except Refused as error:
            problem = error.message
        except (OSError, HTTPException, GoldspanError, ValueError) as error:
            problem, final = str(error) or type(error).__name__, attempt >= MOST_ATTEMPTS
        with self.ledger.transaction() as tx:
            now = self.ledger.clock()
            if final:
                tx.run("end_delivery", **about, at=now, problem=problem)
                self._tell(tx, target, run_id, result, attempt, problem)
            else:
                longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2**attempt)
                wait = random.uniform(0, longest)  # full jitter
                tx.run("delay_delivery", **about, next_at=now + wait, problem=problem)
        return problem is None

    def _tell(
        self,
        tx: Transaction,
        target: Target,
        run_id: str,
        result: Mapping[str, Any],
        attempt: int,
        problem: str | None,
    ) -> None:
        name = semconv.RUN_UNDELIVERED if problem else semconv.RUN_DELIVERED
        about = {
            semconv.RUN_ID: run_id,
            semconv.AGENT_NAME: result.get("agent"),
            semconv.BATCH_ID: result.get("batch"),
            semconv.RUN_OUTCOME: result.get("outcome"),
            semconv.DELIVERY_TARGET: target.name,
            semconv.DELIVERY_ATTEMPT: attempt,
            semconv.REASON: problem,
        }
        if isinstance(target, EventTarget):
            about[semconv.DELIVERY_RESULT] = json.dumps(result, ensure_ascii=False)
        known = event_id(name, run_id, target.name)
        put(tx, AuditEvent(known, name, self.ledger.clock(), about))


def target_of(text: str) -> Target:
    """A target as it is named: `file:FOLDER`, an `https://` address, or `outbox`.

    Plain `http://` is for this machine. Raises `ConfigError` for anything else.
    """
    if text == "outbox":
        return EventTarget()
    if text.startswith("file:") and len(text) > len("file:"):
        return FileTarget(Path(text.removeprefix("file:")).absolute())
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise ConfigError(f"{text!r} is no address: {error}", where="--deliver") from None
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_local(parts.hostname or ""))
    if parts.hostname and safe and port != 0:
        return WebhookTarget(text, os.environ.get(TOKEN_VARIABLE))
    raise ConfigError(
        f"{text!r} is no place for results",
        where="--deliver",
        remedy="give file:FOLDER, https://HOST/PATH, or outbox",
    )


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: Any,
        newurl: str,
    ) -> None:
        """A result goes where it was told to go, and nowhere else."""
        return


def _is_local(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
