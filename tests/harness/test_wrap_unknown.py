"""Wrapped tools whose calls nobody knows the outcome of: a person is asked, each time."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.approvals.unknown import resolve, unknown_calls
from goldspan.harness.failure.error_classes import UnknownOutcomeError
from goldspan.harness.failure.policy import FailurePolicy
from goldspan.harness.failure.retry import Retry
from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.outbox import unsent
from goldspan.harness.result import Ended
from goldspan.harness.steps import Attempts, Once
from goldspan.harness.wrap.tools import Policy, guard
from goldspan.tracing import semconv
from tests.harness.emitted import Emitted
from tests.harness.test_wrap import contract, ledger

__all__ = ["ledger"]


def test_a_call_of_unknown_outcome_is_not_made_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    paid: list[int] = []

    def life(ledger: Ledger) -> Any:
        policy = Policy(contract(), ledger=ledger)
        pay = guard(lambda usd: paid.append(usd), policy, name="pay")
        look = guard(lambda usd: usd, policy, name="look", action_class="read")
        with policy.run("r") as run:
            assert look(1) == 1
            return pay(9), run

    with closing(Ledger(url)) as ledger:
        life(ledger)
        with pytest.raises(Ended, match="nobody knows whether pay was done") as ended:
            life(ledger)
        (call,) = unknown_calls(ledger)
        assert call.key == str(ended.value).split()[-1]
        resolve(ledger, call.key, "ana", made=True, result="paid by hand")
        assert life(ledger)[0] == "paid by hand"
    assert paid == [9]


@pytest.mark.parametrize("attempts", [Once(), Retry(FailurePolicy(), Emitted())])
def test_a_run_ends_where_nobody_knows_what_a_call_did_and_asks_each_time(
    ledger: Ledger, attempts: Attempts
) -> None:
    tries: list[int] = []

    def pay(usd: int) -> str:
        tries.append(usd)
        if len(tries) < 3:
            raise UnknownOutcomeError("the line broke")
        return "paid"

    def life() -> str:
        policy = Policy(contract(), ledger=ledger, attempts=attempts)
        guarded = guard(pay, policy)
        with policy.run("r") as run:
            try:
                return guarded(9)
            finally:
                if run.ended is not None:
                    with pytest.raises(Ended):  # also where a framework swallowed the first one
                        guarded(8)

    for number in (1, 2):
        with pytest.raises(Ended, match=r"pay was done \(the line broke\)"):
            life()
        with pytest.raises(Ended, match=r"pay was done \(its process ended\)"):
            life()
        assert tries == [9] * number
        (call,) = unknown_calls(ledger)
        resolve(ledger, call.key, "ana", made=False)
    assert life() == "paid"
    assert tries == [9, 9, 9]
    said = [event for event in unsent(ledger) if event.name == semconv.CALL_RESOLVED]
    assert len(said) == 2
