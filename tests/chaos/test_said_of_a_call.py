"""What a person said of a call that a crash left unknown holds for one attempt."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from goldspan.harness.approvals.unknown import UnknownCall, resolve, unknown_calls
from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.outbox import unsent
from goldspan.tracing import semconv
from goldspan.tracing.store import Store
from tests.chaos.processes import finish, intake, killed
from tests.chaos.world import sent

pytestmark = pytest.mark.chaos


def test_a_second_crash_asks_again_and_the_call_is_made_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'engine.db'}"
    (run,) = intake(tmp_path, url, "send 1; throw 2; send 3")
    settings = {"url": url, "folder": str(tmp_path), "runs": [run]}
    letters = tmp_path / "workspaces" / run

    killed(settings, "in the step", "tool:throw", 1)
    finish({**settings, "until": ["parked"]})
    assert [row["n"] for row in sent(letters)] == [1]
    with closing(Ledger(url)) as ledger:
        first = only(ledger)
        resolve(ledger, first.key, "ana", made=False)

    killed(settings, "effect done", "tool:throw", 1)
    finish({**settings, "until": ["parked"]})
    assert [row["n"] for row in sent(letters)] == [1, 2]
    with closing(Ledger(url)) as ledger:
        second = only(ledger)
        assert second.key == first.key
        resolve(ledger, second.key, "ben", made=True, result={"sent": 2})
        said = [event for event in unsent(ledger) if event.name == semconv.CALL_RESOLVED]
    assert [event.attributes[semconv.APPROVAL_REVIEWER] for event in said] == ["ana", "ben"]
    assert [event.attributes[semconv.CALL_MADE] for event in said] == [False, True]

    finish(settings)
    assert [row["n"] for row in sent(letters)] == [1, 2, 3]
    (stored,) = Store.open(tmp_path / "s.duckdb").rows("SELECT * FROM runs")
    assert (stored["outcome"], stored["output"]) == ("completed", "done after 3")


def only(ledger: Ledger) -> UnknownCall:
    (call,) = unknown_calls(ledger)
    return call
