"""The ledger: what must be exact (budgets, caps, intents, kill flags) in one small database."""

from goldspan.harness.ledger.book import Ledger, Reached
from goldspan.harness.ledger.database import MEMORY, Transaction, default_url
from goldspan.harness.ledger.entries import Admission, Intent, Settlement, Want, call_digest

__all__ = [
    "MEMORY",
    "Admission",
    "Intent",
    "Ledger",
    "Reached",
    "Settlement",
    "Transaction",
    "Want",
    "call_digest",
    "default_url",
]
