"""docs/guards.md and docs/final-gates.md: every example is true, and every guard has its row."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest
import yaml

from goldspan.harness.agents.version import AgentConfig
from goldspan.harness.contract import Contract, Usage
from goldspan.harness.guards import ApprovalGuard, BudgetGuard, contract_guards
from goldspan.harness.models.protocol import Call

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "guards.md"


@pytest.mark.parametrize(("name", "examples"), [("guards.md", 21), ("final-gates.md", 10)])
def test_every_example_on_the_page_does_what_the_page_says(name: str, examples: int) -> None:
    text = re.sub(r"^```.*$", "", (DOCS / name).read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = doctest.DocTestParser().get_doctest(text, {}, name, name, 0)
    report: list[str] = []
    result = doctest.DocTestRunner().run(found, out=report.append)
    assert result.attempted >= examples
    assert result.failed == 0, "".join(report)


def test_the_settings_on_the_pages_are_settings() -> None:
    for name, nth in (("final-gates.md", 0), ("sessions.md", 1)):
        first = re.findall(r"```yaml\n(.*?)```", (DOCS / name).read_text(), flags=re.DOTALL)[nth]
        known = {"model": "m", "provider": "p", "environment": "e"}
        AgentConfig.model_validate({**known, **yaml.safe_load(first)})


def test_every_guard_of_the_chain_stands_in_the_table_in_its_order() -> None:
    contract = Contract()
    budget = BudgetGuard(contract, Usage())
    guards = contract_guards(contract, budget, [], more=[ApprovalGuard(())])
    asked = [guard.check(Call("c", "t", {}), None).guard for guard in guards]
    rows = re.findall(r"^\| (\w+) \|", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert rows[1 : len(asked) + 1] == asked
