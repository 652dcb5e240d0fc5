"""The store: one DuckDB file that many processes may use, each for one short transaction."""

from goldspan.tracing.store.store import Store

__all__ = ["Store"]
