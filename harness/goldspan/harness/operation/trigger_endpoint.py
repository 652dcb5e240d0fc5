"""An HTTP event as the start of a run: `POST /trigger/NAME` with a token and a JSON object."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from goldspan.harness.engine import EngineConfig, OutsideEngine
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.database import Scrub
from goldspan.harness.operation.intake import Trigger, tell_queued
from goldspan.tracing.errors import ConfigError, GoldspanError, InputError

MOST_BYTES = 1024 * 1024
LEAST_TOKEN = 16
KEY_HEADER = "idempotency-key"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TriggerEndpoint:
    """Puts a run into the queue for each event. The same event, or the same `Idempotency-Key`,
    twice is one run.

    Answers 202 with the run's id once the run is durable in the queue; 400 for an event that is
    no JSON object or lacks a field, 401 without the token, 404 for an unknown trigger, 413 for
    more than `MOST_BYTES`, 503 where the run cannot be queued now. `scrub` redacts audit events.
    """

    config: EngineConfig
    triggers: Sequence[Trigger]
    token: str
    scrub: Scrub | None = None

    def __post_init__(self) -> None:
        """Raises ConfigError without a token: whoever reaches this starts runs that cost money."""
        if len(self.token) < LEAST_TOKEN or not self.token.isascii():
            raise ConfigError(
                f"triggers need a token of {LEAST_TOKEN} ASCII characters or more",
                where="--trigger-token",
                remedy="set GOLDSPAN_TRIGGER_TOKEN, e.g. to 32 random ones",
            )

    def route(self) -> Route:
        """For a Starlette application."""
        return Route("/trigger/{name}", self._answer, methods=["POST"])

    async def _answer(self, request: Request) -> Response:
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode(), self.token.encode())
        if scheme.lower() != "bearer" or not right:
            return _problem(401, "a token is needed: Authorization: Bearer …")
        name = request.path_params["name"]
        trigger = next((each for each in self.triggers if each.name == name), None)
        if trigger is None:
            return _problem(404, f"there is no trigger {name!r}")
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_BYTES:
                return _problem(413, f"an event has at most {MOST_BYTES} bytes")
        try:
            event = json.loads(body)
        except (ValueError, RecursionError) as error:
            return _problem(400, f"not JSON: {error}")
        if not isinstance(event, dict):
            return _problem(400, "an event is a JSON object")
        key = request.headers.get(KEY_HEADER)
        try:
            run_id, new = await asyncio.to_thread(self.fire, trigger, event, key)
        except InputError as error:
            return _problem(400, str(error))
        except Exception as error:  # noqa: BLE001  every failure is told to the sender
            if not isinstance(error, GoldspanError):
                _log.exception("trigger %s: no run was queued", name)
            return _problem(503, f"no run was queued: {error}")
        return JSONResponse({"run_id": run_id, "new": new}, status_code=202)

    def fire(self, trigger: Trigger, event: dict[str, Any], key: str | None) -> tuple[str, bool]:
        """Put the event's run into the queue; returns its id, and whether it was not there.

        Raises `InputError` for an event that lacks a field.
        """
        spec = trigger.spec(event, key=key, at=datetime.now(UTC))
        with (
            closing(Ledger(self.config.url, scrub=self.scrub)) as ledger,
            OutsideEngine(self.config) as engine,
        ):
            new = engine.enqueue([spec])
            tell_queued(ledger, [spec], f"trigger:{trigger.name}")
        return spec.run_id, bool(new)


def _problem(code: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=code)
