"""Guards around every call, one a file; the chain that asks them."""

from goldspan.harness.guards.approval import ApprovalGuard
from goldspan.harness.guards.budget import BudgetGuard, price_of
from goldspan.harness.guards.caps import CapGuard
from goldspan.harness.guards.chain import (
    Guard,
    Ruling,
    Verdict,
    first_objection,
    observe_result,
    record_verdict,
    verify_result,
)
from goldspan.harness.guards.dry_run import RehearsalGuard, with_dry_runs
from goldspan.harness.guards.egress import EgressGuard
from goldspan.harness.guards.injection import InjectionGuard, WatchingInjectionGuard
from goldspan.harness.guards.inputs import InputGuard
from goldspan.harness.guards.loop import LoopGuard
from goldspan.harness.guards.outputs import OutputGuard, OutputRejected
from goldspan.harness.guards.scope import ScopeGuard
from goldspan.harness.guards.standard import arguments_of, check_rules, contract_guards
from goldspan.harness.guards.typical_cost import TypicalCost, recent_costs, typical_cost

__all__ = [
    "ApprovalGuard",
    "BudgetGuard",
    "CapGuard",
    "EgressGuard",
    "Guard",
    "InjectionGuard",
    "InputGuard",
    "LoopGuard",
    "OutputGuard",
    "OutputRejected",
    "RehearsalGuard",
    "Ruling",
    "ScopeGuard",
    "TypicalCost",
    "Verdict",
    "WatchingInjectionGuard",
    "arguments_of",
    "check_rules",
    "contract_guards",
    "first_objection",
    "observe_result",
    "price_of",
    "recent_costs",
    "record_verdict",
    "typical_cost",
    "verify_result",
    "with_dry_runs",
]
