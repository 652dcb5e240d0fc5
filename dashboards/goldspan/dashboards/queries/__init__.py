"""The dashboard's questions: one `.sql` file each, the question on its first line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from goldspan.tracing.errors import InternalError

_PARAMETER = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True)
class Query:
    """One question put to the store, with the names of the parameters its text uses."""

    name: str
    question: str
    sql: str
    parameters: frozenset[str]


def names() -> list[str]:
    """Names of all queries, sorted; each is the stem of one `.sql` file in this folder."""
    folder = resources.files(__name__)
    return sorted(f.name.removesuffix(".sql") for f in folder.iterdir() if f.name.endswith(".sql"))


@cache
def load(name: str) -> Query:
    """Return the query called `name`; raises InternalError when its first line is no question."""
    sql = (resources.files(__name__) / f"{name}.sql").read_text(encoding="utf-8")
    first = sql.partition("\n")[0]
    if not first.startswith("-- ") or not first.endswith("?"):
        raise InternalError("the first line must be the question", where=f"{name}.sql")
    body = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
    return Query(name, first.removeprefix("-- "), sql, frozenset(_PARAMETER.findall(body)))
