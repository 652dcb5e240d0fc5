"""Guards around every call, one a file; the chain that asks them."""

from goldspan.harness.guards.approval import ApprovalGuard
from goldspan.harness.guards.budget import BudgetGuard
from goldspan.harness.guards.chain import (
    Guard,
    Ruling,
    Verdict,
    first_objection,
    record_verdict,
)
from goldspan.harness.guards.egress import EgressGuard
from goldspan.harness.guards.injection import InjectionGuard, WatchingInjectionGuard
from goldspan.harness.guards.loop import LoopGuard
from goldspan.harness.guards.scope import ScopeGuard

__all__ = [
    "ApprovalGuard",
    "BudgetGuard",
    "EgressGuard",
    "Guard",
    "InjectionGuard",
    "LoopGuard",
    "Ruling",
    "ScopeGuard",
    "Verdict",
    "WatchingInjectionGuard",
    "first_objection",
    "record_verdict",
]
