"""Which store the dashboard shows."""

from __future__ import annotations

import os

STORE_VARIABLE = "GOLDSPAN_STORE"
DEFAULT_STORE = ".goldspan/goldspan.duckdb"


def store_path() -> str:
    """The store this dashboard shows: the environment's GOLDSPAN_STORE, or the default."""
    return os.environ.get(STORE_VARIABLE) or DEFAULT_STORE
