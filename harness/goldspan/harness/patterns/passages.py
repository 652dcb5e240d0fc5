"""Passages that an agent can search, in SQLite's full-text index.

Ranked by BM25 (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework").
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from goldspan.harness.tools import JsonValue, Tool, ToolContext


class Search(BaseModel):
    """Arguments of `search`."""

    model_config = ConfigDict(extra="forbid")

    query: str = Field(min_length=1, description="a few words that the passage would hold")


class Index:
    """Passages by id, searchable by their words."""

    def __init__(self, passages: Mapping[str, str], path: str = ":memory:") -> None:
        # Tools that are not async run in threads; the library guards a connection by itself.
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.execute("CREATE VIRTUAL TABLE IF NOT EXISTS passage USING fts5(id, text)")
        self.add(passages)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def add(self, passages: Mapping[str, str]) -> None:
        """Add passages."""
        with self._database:
            self._database.executemany("INSERT INTO passage VALUES (?, ?)", passages.items())

    def search(self, query: str, most: int = 3) -> list[dict[str, str]]:
        """The passages with any of the query's words, the best first."""
        words = " OR ".join(f'"{word}"' for word in re.findall(r"\w+", query))
        ranked = "SELECT id, text FROM passage WHERE text MATCH ? ORDER BY rank LIMIT ?"
        rows = self._database.execute(ranked, (words, most)) if words else []
        return [{"id": str(row[0]), "text": str(row[1])} for row in rows]


def search_tool(index: Index) -> Tool:
    """The tool over an index."""

    def run(_context: ToolContext, arguments: Search) -> JsonValue:
        return [*index.search(arguments.query)]

    return Tool("search", "Search the passages.", Search, run, untrusted_output=True)
