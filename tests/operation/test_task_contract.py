"""A task may take from its agent's contract, and add nothing to it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.contract import Contract
from goldspan.harness.guards import typical_cost
from goldspan.harness.operation.durable import specs_of
from goldspan.harness.operation.intake import Asked, Schedule, Trigger, load_triggers
from goldspan.harness.operation.task_contract import hold_to, merged
from goldspan.harness.operation.tasks import Task, load_tasks
from goldspan.tracing.errors import ConfigError, InputError
from tests.chaos.world import write_post_office

MAIL = {"to": {"kind": "email", "allow": ["example.com", "a@b.org"]}}
WHOLE = {"required": ["id"]}
AGENT = Contract.model_validate(
    {
        "max_usd": 0.5,
        "required_artifacts": ["draft"],
        "allowed_tools": ["send", "count"],
        "targets": {"send": MAIL},
        "caps": [{"of": "send", "max_calls": 10}],
        "plausible": {"send": [{"field": "n", "max_share": 0.5}]},
        "outputs": {"count": WHOLE},
        "dry_run": ["act"],
        "rehearse": {"throw": "preview"},
        "typical_usd": 0.1,
    }
)


def narrow(**target: Any) -> dict[str, Any]:
    return {"send": {"to": {"kind": "email", "allow": ["example.com"], **target}}}


@pytest.mark.parametrize(
    "given",
    [
        {"max_usd": 0.5, "max_tokens": 10, "alarm_at": 2, "typical_usd": 0.1},
        {"required_artifacts": ["draft", "note"], "allowed_tools": ["count"]},
        {"targets": narrow() | {"throw": MAIL}},
        {"caps": [{"of": "send", "max_calls": 3}, {"of": "act", "max_calls": 1}]},
        {"plausible": {"send": [{"field": "n"}, {"field": "n", "max_share": 0.5}]}},
        {"outputs": {"count": WHOLE, "send": WHOLE}, "dry_run": ["act", "read"]},
        {"rehearse": {"throw": "preview", "send": "preview"}},
    ],
)
def test_a_task_may_tighten(given: dict[str, Any]) -> None:
    hold_to(AGENT, given, where="task t")


@pytest.mark.parametrize(
    "given",
    [
        {"max_usd": 0.51},
        {"max_usd": None},
        {"max_tokens": 100_001},
        {"max_stale": 5},
        {"stop_at": 51},
        {"typical_usd": 0.2},
        {"typical_usd": None},
        {"typical_tokens": 5},
        {"required_artifacts": ["note"]},
        {"allowed_tools": ["count", "throw"]},
        {"allowed_tools": None},
        {"targets": {}},
        {"targets": narrow(allow=["*.com"])},
        {"targets": narrow(kind="exact")},
        {"caps": []},
        {"caps": [{"of": "send", "max_calls": 11}]},
        {"caps": [{"of": "send", "amount": "usd", "max_amount": 1}]},
        {"plausible": {"send": [{"field": "n"}]}},
        {"outputs": {"count": {"required": []}}},
        {"dry_run": []},
        {"rehearse": {}},
    ],
)
def test_a_task_may_not_loosen(given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=rf"contract.{next(iter(given))}: a task may tighten"):
        hold_to(AGENT, given, where="task t")


def test_a_lower_stop_puts_off_no_alarm() -> None:
    """Where nobody says what is typical, that is `max_usd` through `stop_at`."""
    unknown = AGENT.model_copy(update={"typical_usd": None})
    with pytest.raises(ConfigError, match=r"contract.stop_at: .*alarm_at too, at most 2\b"):
        hold_to(unknown, {"stop_at": 10}, where="task t")
    given = {"stop_at": 10, "alarm_at": 2}
    hold_to(unknown, given, where="task t")
    costs = [
        typical_cost(each, [], priced=True).amount * each.alarm_at
        for each in (unknown, merged(unknown, given, where="task t"))
    ]
    assert costs[0] == pytest.approx(costs[1])
    hold_to(AGENT, {"stop_at": 10}, where="task t")


def test_every_part_of_a_contract_is_held() -> None:
    """One that is added to contracts must be thought of here."""
    looser: dict[str, Any] = {"alarm_at": 10**9, "stop_at": 10**9}
    looser |= {name: 10**9 for name in Contract.model_fields if name.startswith("max_")}
    looser |= {"typical_usd": 9, "typical_tokens": 9, "allowed_tools": None}
    kinds = ("required_artifacts", "caps", "dry_run")
    looser |= {name: [] for name in kinds}
    looser |= {name: {} for name in ("targets", "plausible", "outputs", "rehearse")}
    for name in set(Contract.model_fields) - {"parallel_reads"}:
        with pytest.raises(ConfigError, match=name):
            hold_to(AGENT, {name: looser[name]}, where="task t")


@pytest.fixture
def version(tmp_path: Path) -> AgentVersion:
    return AgentVersion.load(write_post_office(tmp_path / "poster" / "v1.0.0"))


def test_what_takes_tasks_in_refuses_one_that_loosens(version: AgentVersion) -> None:
    more = {"max_tool_calls": 41}
    with pytest.raises(ConfigError, match=r"task t: contract\.max_tool_calls"):
        specs_of(version, [Task(id="t", input="send 1", contract=more)], batch="b")
    asked, folder = Asked(input="send 1", contract=more), str(version.path)
    with pytest.raises(ConfigError, match=r"max_tool_calls"):
        Schedule(name="s", cron="* * * * *", agent=folder, task=asked).spec(datetime.now(UTC))
    with pytest.raises(ConfigError, match=r"max_tool_calls"):
        Trigger(name="t", agent=folder, task=asked).spec({}, key=None, at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        ({"max_token": 5}, r"max_token: .*max_tokens"),
        ({"max_usd": -1}, r"max_usd: .*above 0"),
        ({"outputs": {"count": {"requierd": []}}}, r"outputs.count.requierd: "),
    ],
)
def test_a_misspelled_limit_is_seen_when_the_file_is_read(
    tmp_path: Path, contract: dict[str, Any], said: str
) -> None:
    file = tmp_path / "queue.yaml"
    asked = {"input": "send 1", "contract": contract}
    file.write_text(yaml.safe_dump({"tasks": [{"id": "t", **asked}]}), encoding="utf-8")
    with pytest.raises(InputError, match=rf"tasks\[0\].*contract: {said}"):
        load_tasks(file)
    trigger = {"name": "t", "agent": "desk", "task": asked}
    file.write_text(yaml.safe_dump({"triggers": [trigger]}), encoding="utf-8")
    with pytest.raises(InputError, match=rf"contract: {said}"):
        load_triggers(file)
