"""What is certainly not stored yet, known without a look into the file.

For the one process that owns a store. Most traces of a commit are new, and so are their response
ids: a hash of 8 bytes for each name that is stored tells so, and saves the commit its look-ups.
Names that seem stored are looked up as ever, so a clash of hashes costs time and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb
import numpy as np
import numpy.typing as npt

from goldspan.tracing.store.queries import sql

NAMES_AT_ONCE = 100_000
MERGED_AT = 100_000


class Names:
    """A set of hashes: `perhaps` never misses a name that was added."""

    def __init__(self) -> None:
        self._sorted: npt.NDArray[np.int64] = np.empty(0, np.int64)
        self._recent: set[int] = set()

    def add(self, names: Iterable[str]) -> None:
        """Remember names."""
        self._recent.update(map(hash, names))
        if len(self._recent) > MERGED_AT:
            more = np.fromiter(self._recent, np.int64, len(self._recent))
            self._sorted = np.union1d(self._sorted, more)
            self._recent = set()

    def perhaps(self, names: Iterable[str]) -> set[str]:
        """Those of the names that may have been added."""
        asked = list(names)
        hashes = np.fromiter(map(hash, asked), np.int64, len(asked))
        at = np.searchsorted(self._sorted, hashes)
        found = np.zeros(len(asked), bool)
        inside = at < len(self._sorted)
        found[inside] = self._sorted[at[inside]] == hashes[inside]
        return {
            name
            for name, old, number in zip(asked, found.tolist(), hashes.tolist(), strict=True)
            if old or number in self._recent
        }


@dataclass(slots=True)
class Seen:
    """The names in a store that commits look up. Keep one as long as the store stays owned."""

    traces: Names = field(default_factory=Names)
    telling_traces: Names = field(default_factory=Names)  # log records tell of calls in them
    response_ids: Names = field(default_factory=Names)
    shared_response_ids: Names = field(default_factory=Names)  # in more than one trace, perhaps

    @classmethod
    def load(cls, connection: duckdb.DuckDBPyConnection) -> Seen:
        """Read the names of everything that is stored."""
        seen = cls()
        for names, query in (
            (seen.traces, "seen_traces"),
            (seen.telling_traces, "seen_telling_traces"),
            (seen.response_ids, "seen_response_ids"),
            (seen.shared_response_ids, "seen_shared_response_ids"),
        ):
            cursor = connection.execute(sql(query))
            while rows := cursor.fetchmany(NAMES_AT_ONCE):
                names.add(row[0] for row in rows)
        return seen
