"""The outbox: what must arrive is sent until it is stored, and stored once."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.outbox import AuditEvent, drain, put, unsent
from goldspan.tracing.errors import NotStoredError, StoreError
from goldspan.tracing.instrument import Telemetry, instrument
from goldspan.tracing.store import Store
from tests.harness.approvals.conftest import Desk, both_engines

SPAN = {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}


def event(number: int = 1) -> AuditEvent:
    about = {"goldspan.run.id": "r", "goldspan.approval.id": f"a{number}"}
    return AuditEvent(f"{number:032x}", "goldspan.approval.decided", 1e9 + number, about, **SPAN)


def stored(path: Path) -> list[dict[str, Any]]:
    with Store.open(path) as store:
        return store.rows("SELECT * FROM events ORDER BY observed_at")


@both_engines
def test_an_event_arrives_as_it_was_put_and_once(desk: Desk, tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    for number in (2, 1, 2):
        with desk.ledger.transaction() as tx:
            put(tx, event(number))
    assert unsent(desk.ledger) == [event(1), event(2)]
    assert drain(desk.ledger, lambda: instrument(store=path)) == 2
    assert drain(desk.ledger, _none_is_opened) == 0
    first, second = stored(path)
    assert (first["event_id"], second["event_id"]) == (event(1).id, event(2).id)
    assert (first["run_id"], first["trace_id"], first["span_id"]) == ("r", *SPAN.values())
    assert first["observed_at"].timestamp() == 1e9 + 1


def test_an_event_goes_with_its_state_or_not_at_all(desk: Desk) -> None:
    with suppress(ZeroDivisionError), desk.ledger.transaction() as tx:
        put(tx, event())
        raise ZeroDivisionError
    assert unsent(desk.ledger) == []


def test_what_the_store_did_not_take_is_sent_again_and_stored_once(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "s.duckdb"
    with desk.ledger.transaction() as tx:
        put(tx, event())
    ingest = Store.ingest

    def stored_but_not_said(self: Store, *given: Any) -> Any:
        ingest(self, *given)
        raise StoreError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Store, "ingest", stored_but_not_said)
        with pytest.raises(NotStoredError, match="the disk is full"):
            drain(desk.ledger, lambda: instrument(store=path))
    assert unsent(desk.ledger) == [event()]
    assert drain(desk.ledger, lambda: instrument(store=path)) == 1
    assert len(stored(path)) == 1


def test_what_a_process_left_another_one_sends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with closing(Ledger(url)) as ledger, ledger.transaction() as tx:
        put(tx, event())
    with closing(Ledger(url)) as ledger:
        assert drain(ledger, lambda: instrument(store=tmp_path / "s.duckdb")) == 1
    assert len(stored(tmp_path / "s.duckdb")) == 1


def _none_is_opened() -> Telemetry:
    raise AssertionError("nothing waits, and something was opened")
