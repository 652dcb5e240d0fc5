"""Results go where they were told to go, once where all is well, and again where it is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.contract import Contract
from goldspan.harness.drill import NAME as DRILL
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.runs import Runs
from goldspan.harness.operation.delivery import (
    AT_ONCE,
    MOST_ATTEMPTS,
    Delivery,
    WebhookTarget,
    target_of,
)
from goldspan.harness.operation.outbox import unsent
from goldspan.harness.operation.retention import prune_engine
from goldspan.harness.wrap import Policy
from goldspan.tracing.errors import ConfigError
from tests.operation.conftest import Clock

HOUR = 3600.0


class Receiver:
    """A web server that answers as it is told, and keeps what it got."""

    def __init__(self) -> None:
        self.answers = [200]
        self.got: list[tuple[dict[str, str], Any]] = []
        self.url = ""

    def answer(self) -> int:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.got.append((headers, json.loads(body)))
            code = receiver.answer()
            self.send_response(code)
            if code in (302, 307):
                self.send_header("location", f"{receiver.url}/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """No word on stderr."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def ended(ledger: Ledger, run_id: str, agent: str = "desk") -> None:
    runs = Runs(ledger)
    runs.begin_segment(run_id, agent, "d", queue="q", batch="b")
    runs.end(run_id, "completed", None, 1, None)


def result_of(run_id: str) -> dict[str, Any]:
    return {"run_id": run_id, "agent": "desk", "outcome": "completed", "answer": "é"}


def told(ledger: Ledger) -> list[tuple[str, int, str | None]]:
    return [
        (e.name, e.attributes["goldspan.delivery.attempt"], e.attributes["goldspan.reason"])
        for e in unsent(ledger)
    ]


def test_what_ended_before_the_target_was_named_is_not_delivered(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    ended(ledger, "old")
    clock.now += 1
    target = target_of(f"file:{tmp_path / 'out'}")
    for _ in range(2):  # also when the worker starts once more
        delivery = Delivery(ledger, [target], result_of)
        delivery.begin()
        clock.now += 1
        ended(ledger, f"new{clock.now:.0f}")
        assert delivery.once() == 1
        assert delivery.once() == 0
    files = sorted((tmp_path / "out").iterdir())
    assert [file.name[:3] for file in files] == ["new", "new"]
    assert json.loads(files[0].read_text("utf-8"))["answer"] == "é"
    assert [name for name, _, _ in told(ledger)] == ["goldspan.run.delivered"] * 2


def test_a_webhook_gets_each_result_with_key_and_token(ledger: Ledger) -> None:
    with receiving() as receiver:
        target = WebhookTarget(f"{receiver.url}/in?secret=1", "t0ken")
        delivery = Delivery(ledger, [target], result_of)
        delivery.begin()
        ended(ledger, "r")
        assert (delivery.once(), delivery.once()) == (1, 0)
        ((headers, body),) = receiver.got
        assert (headers["idempotency-key"], headers["authorization"]) == ("r", "Bearer t0ken")
        assert body == result_of("r")
        (event,) = unsent(ledger)
        assert event.attributes["goldspan.delivery.target"] == f"{receiver.url}/in"
        assert "secret" not in json.dumps(dict(event.attributes))


def test_a_receiver_that_fails_is_tried_again_and_another_gets_its_own(
    ledger: Ledger, clock: Clock
) -> None:
    with receiving() as receiver:
        receiver.answers = [503, 429, 200]
        delivery = Delivery(ledger, [WebhookTarget(receiver.url), target_of("outbox")], result_of)
        delivery.begin()
        ended(ledger, "r")
        assert delivery.once() == 1  # the outbox
        for _ in range(2):
            clock.now += HOUR
            delivery.once()
        assert delivery.once() == 0
        assert len(receiver.got) == 3
    names = {e.attributes["goldspan.delivery.target"]: e for e in unsent(ledger)}
    assert names.keys() == {receiver.url, "outbox"}
    assert names[receiver.url].attributes["goldspan.delivery.attempt"] == 3
    assert json.loads(names["outbox"].attributes["goldspan.delivery.result"]) == result_of("r")


@pytest.mark.parametrize("code", [404, 401, 302, 307])
def test_a_receiver_that_refuses_or_sends_elsewhere_is_given_up(
    ledger: Ledger, clock: Clock, code: int
) -> None:
    with receiving() as receiver:
        receiver.answers = [code]
        delivery = Delivery(ledger, [WebhookTarget(receiver.url)], result_of)
        delivery.begin()
        ended(ledger, "r")
        for _ in range(3):
            assert delivery.once() == 0
            clock.now += HOUR
        assert len(receiver.got) == 1
    ((name, attempt, reason),) = told(ledger)
    assert (name, attempt) == ("goldspan.run.undelivered", 1)
    assert str(code) in str(reason)


def test_a_receiver_that_is_away_is_given_up_in_the_end(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    delivery = Delivery(ledger, [target_of(f"file:{tmp_path / 'file' / 'x'}")], result_of)
    delivery.begin()
    ended(ledger, "r")
    for _ in range(MOST_ATTEMPTS + 3):
        assert delivery.once() == 0
        clock.now += HOUR
    ((name, attempt, _),) = told(ledger)
    assert (name, attempt) == ("goldspan.run.undelivered", MOST_ATTEMPTS)


def test_two_workers_deliver_once_and_a_dead_one_is_made_good(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    target = target_of(f"file:{tmp_path}")
    delivery = Delivery(ledger, [target], result_of)
    delivery.begin()
    ended(ledger, "r")
    claim = {"run_id": "r", "target": target.name, "now": clock.now, "until": clock.now + 60}
    with ledger.transaction() as tx:
        assert tx.rows("claim_delivery", **claim) == [{"attempts": 1}]
        assert tx.rows("claim_delivery", **claim) == []
    assert delivery.once() == 0
    clock.now += 61
    assert delivery.once() == 1


def test_who_hurries_leaves_the_rest_for_another_time(ledger: Ledger, tmp_path: Path) -> None:
    target = target_of(f"file:{tmp_path}")
    hurry = iter([False, True, False, False])
    delivery = Delivery(ledger, [target], result_of, hurries=lambda: next(hurry))
    delivery.begin()
    for run_id in ("a", "b", "c"):
        ended(ledger, run_id)
    assert (delivery.once(), delivery.once()) == (1, 2)


def test_a_result_that_is_not_recorded_yet_waits(ledger: Ledger, tmp_path: Path) -> None:
    known: dict[str, dict[str, Any]] = {}
    delivery = Delivery(ledger, [target_of(f"file:{tmp_path}")], known.get)
    delivery.begin()
    ended(ledger, "r")
    assert delivery.once() == 0
    known["r"] = result_of("r")
    assert delivery.once() == 1


def test_what_has_no_result_keeps_no_other_from_being_delivered(
    ledger: Ledger, clock: Clock, tmp_path: Path
) -> None:
    known = {f"old{n}": result_of(f"old{n}") for n in range(AT_ONCE + 10)}
    delivery = Delivery(ledger, [target_of(f"file:{tmp_path}")], known.get)
    delivery.begin()
    for run_id in known:
        ended(ledger, run_id)
    assert (delivery.once(), delivery.once()) == (AT_ONCE, 10)
    clock.now += 1
    assert prune_engine(ledger, clock.now).runs == AT_ONCE + 10
    known.clear()
    for number in range(AT_ONCE):
        ended(ledger, f"drill{number}", agent=DRILL)
        with Policy(Contract(), ledger=ledger).run():
            pass
    clock.now += 1
    ended(ledger, "new")
    known.update({run_id: result_of(run_id) for run_id in ("new", "drill0")})
    assert delivery.once() == 1
    assert (tmp_path / "new.json").is_file()


@pytest.mark.parametrize(
    "text", ["", "file:", "ftp://host/x", "http://example.com/in", "https://", "https://h:x/"]
)
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--deliver"):
        target_of(text)


def test_an_address_is_shown_without_what_is_secret_in_it() -> None:
    target = target_of("https://user:pass@example.com:8443/in?key=1#x")
    assert target.name == "https://example.com:8443/in"
