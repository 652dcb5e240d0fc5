"""The ledger: what must be exact (budgets, caps, intents, kill flags) in one small database."""

from goldspan.harness.ledger.entries import Admission, Intent, Settlement, Want, call_digest

__all__ = ["Admission", "Intent", "Settlement", "Want", "call_digest"]
