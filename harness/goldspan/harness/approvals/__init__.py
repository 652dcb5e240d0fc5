"""Approvals: which calls need a person, what a reviewer is shown, and what a reviewer says."""

from goldspan.harness.approvals.proposal import (
    ApprovalKind,
    Approver,
    Decision,
    DecisionKind,
    NamedApprover,
    Proposal,
)
from goldspan.harness.approvals.rules import ApprovalRule, ApprovalRules, Route

__all__ = [
    "ApprovalKind",
    "ApprovalRule",
    "ApprovalRules",
    "Approver",
    "Decision",
    "DecisionKind",
    "NamedApprover",
    "Proposal",
    "Route",
]
