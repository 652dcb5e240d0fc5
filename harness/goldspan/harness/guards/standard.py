"""The chain of guards that a contract asks for, in the order in which they are asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from goldspan.harness.contract import Contract
from goldspan.harness.guards.budget import BudgetGuard
from goldspan.harness.guards.caps import CapGuard, utc_now
from goldspan.harness.guards.chain import Guard
from goldspan.harness.guards.dry_run import RehearsalGuard
from goldspan.harness.guards.inputs import InputGuard
from goldspan.harness.guards.loop import LoopGuard
from goldspan.harness.guards.outputs import OutputGuard
from goldspan.harness.guards.scope import ScopeGuard
from goldspan.harness.tools import Tool
from goldspan.tracing.errors import ConfigError

CLASSES = ("read", "write", "act")


def contract_guards(
    contract: Contract,
    budget: BudgetGuard,
    tools: Collection[str],
    *,
    more: Sequence[Guard] = (),
    root: Path | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> tuple[Guard, ...]:
    """The guards of one run over tools of these names. What can be judged from the call alone comes
    first, then `more`: what is added to the contract's guards, the one that asks a person last. The
    ledger takes the wants of all of them together.

    `root` is the folder that paths start from. `check_rules` says whether the contract fits the
    tools.
    """
    only = contract.allowed_tools
    return (
        ScopeGuard(tools if only is None else only, contract.targets, root),
        budget,
        CapGuard(contract.caps, clock),
        LoopGuard(contract.max_repeats, contract.max_cycles, contract.max_stale),
        RehearsalGuard(contract.rehearse),
        OutputGuard(contract.outputs, clock),
        InputGuard(contract.plausible),
        *more,
    )


def arguments_of(tools: Collection[Tool]) -> dict[str, Collection[str]]:
    """The names of each tool's arguments."""
    return {tool.name: list(tool.json_schema().get("properties", {})) for tool in tools}


def check_rules(contract: Contract, tools: Mapping[str, Collection[str]]) -> None:
    """Raise `ConfigError` where the contract has a rule that can never apply: a misspelled name
    would leave a tool unguarded. `tools` are the names of each tool's arguments."""
    for field, name, path in _named(contract):
        if name in CLASSES and field == "caps" and path is not None:
            raise ConfigError(
                f"an amount is an argument of one tool, and {name!r} is a class of them",
                where=f"contract.{field}",
                remedy="name the tool",
            )
        if name in CLASSES and field in ("caps", "dry_run"):
            continue
        if name not in tools:
            raise ConfigError(
                f"there is no tool {name!r}",
                where=f"contract.{field}",
                remedy=f"there are {', '.join(sorted(tools)) or 'none'}",
            )
        if path is not None and path.split(".")[0] not in tools[name]:
            raise ConfigError(
                f"{name} has no argument {path!r}",
                where=f"contract.{field}",
                remedy=f"it has {', '.join(tools[name]) or 'none'}",
            )


def _named(contract: Contract) -> Iterator[tuple[str, str, str | None]]:
    """Every field that names a tool, the tool, and the path of the argument that it names."""
    yield from (("allowed_tools", name, None) for name in contract.allowed_tools or ())
    yield from (("dry_run", name, None) for name in contract.dry_run)
    yield from (("outputs", name, None) for name in contract.outputs)
    yield from (("caps", cap.of, cap.amount) for cap in contract.caps)
    yield from (("rehearse", name, path) for name, path in contract.rehearse.items())
    for name, targets in contract.targets.items():
        yield "targets", name, None
        yield from (("targets", name, path) for path in targets)
    for name, rules in contract.plausible.items():
        for rule in rules:
            yield "plausible", name, rule.field if rule.results_of is None else None
            if rule.results_of is not None:
                yield "plausible", rule.results_of, None
