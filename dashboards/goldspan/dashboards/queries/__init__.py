"""The dashboard's questions: one `.sql` file each, the question on its first line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, partial

from goldspan.tracing.errors import InternalError
from goldspan.tracing.sql_files import sql_names, sql_text

_PARAMETER = re.compile(r"\$([a-z_]+)")


@dataclass(frozen=True)
class Query:
    """One question put to the store, with the names of the parameters its text uses."""

    name: str
    question: str
    sql: str
    parameters: frozenset[str]


names = partial(sql_names, __name__)


@cache
def load(name: str) -> Query:
    """Return the query called `name`; raises InternalError when its first line is no question."""
    sql = sql_text(__name__, name)
    first = sql.partition("\n")[0]
    if not first.startswith("-- ") or not first.endswith("?"):
        raise InternalError("the first line must be the question", where=f"{name}.sql")
    body = "\n".join(line for line in sql.splitlines() if not line.startswith("--"))
    return Query(name, first.removeprefix("-- "), sql, frozenset(_PARAMETER.findall(body)))
