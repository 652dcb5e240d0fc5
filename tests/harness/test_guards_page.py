"""docs/guards.md: every example on the page is true, and every guard has its row."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards import ApprovalGuard, BudgetGuard, contract_guards
from goldspan.harness.models.protocol import Call

PAGE = Path(__file__).parents[2] / "docs" / "guards.md"


def test_every_example_on_the_page_does_what_the_page_says() -> None:
    text = re.sub(r"^```.*$", "", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    report: list[str] = []
    result = doctest.DocTestRunner().run(examples, out=report.append)
    assert result.attempted > 20
    assert result.failed == 0, "".join(report)


def test_every_guard_of_the_chain_stands_in_the_table_in_its_order() -> None:
    contract = Contract()
    budget = BudgetGuard(contract, Usage())
    guards = contract_guards(contract, budget, [], more=[ApprovalGuard(())])
    asked = [guard.check(Call("c", "t", {}), None).guard for guard in guards]
    rows = re.findall(r"^\| (\w+) \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rows[1 : len(asked) + 1] == asked
