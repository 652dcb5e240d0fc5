"""The events of an approval: asked, signed, decided, gone by itself, looked at later."""

from __future__ import annotations

import json
from typing import Any

from goldspan.harness.approvals.proposal import Proposal
from goldspan.tracing import semconv


def asked(proposal: Proposal) -> dict[str, Any]:
    """Attributes of the event that a person is asked."""
    return {
        semconv.APPROVAL_ID: proposal.id,
        semconv.APPROVAL_KIND: proposal.kind,
        semconv.APPROVAL_TOOL: proposal.tool,
        semconv.APPROVAL_ARGUMENTS: _json(proposal.arguments),
        semconv.APPROVAL_DRAFT: proposal.draft,
        semconv.APPROVAL_CLAIMS: _json(proposal.claims),
        semconv.APPROVAL_RISK: proposal.risk,
        semconv.APPROVAL_RECOMMENDATION: proposal.recommendation or proposal.reason,
        semconv.REASON: proposal.why,
    }


def decided(
    proposal: Proposal,
    decision: str,
    reviewer: str,
    *,
    wait_ms: float,
    reason: str | None,
    arguments: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Attributes of a decision; `arguments` are those of an edit."""
    return {
        semconv.APPROVAL_ID: proposal.id,
        semconv.APPROVAL_TOOL: proposal.tool,
        semconv.APPROVAL_DECISION: decision,
        semconv.APPROVAL_REVIEWER: reviewer,
        semconv.APPROVAL_WAIT_MS: wait_ms,
        semconv.APPROVAL_ARGUMENTS: None if arguments is None else _json(arguments),
        semconv.REASON: reason or None,
    }


def automatic(proposal: Proposal, *, sampled: bool) -> dict[str, Any]:
    """Attributes of a call that its rule let go without a person."""
    return {
        semconv.APPROVAL_ID: proposal.id,
        semconv.APPROVAL_TOOL: proposal.tool,
        semconv.APPROVAL_ARGUMENTS: _json(proposal.arguments),
        semconv.APPROVAL_SAMPLED: sampled,
        semconv.REASON: proposal.why,
    }


def looked_at(
    proposal: Proposal, reviewer: str, *, right: bool, reason: str | None
) -> dict[str, Any]:
    """Attributes of what a person says later of a call that went by itself."""
    return {
        semconv.APPROVAL_ID: proposal.id,
        semconv.APPROVAL_TOOL: proposal.tool,
        semconv.APPROVAL_REVIEWER: reviewer,
        semconv.PASSED: right,
        semconv.REASON: reason or None,
    }


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
