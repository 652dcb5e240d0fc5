"""What somebody's SQL may be: one SELECT."""

from __future__ import annotations

import duckdb

from goldspan.tracing.errors import InputError

_REMEDY = "write one SELECT, e.g. SELECT * FROM traces LIMIT 5"


def require_select(sql: str) -> None:
    """Raise InputError unless `sql` is exactly one SELECT (or WITH, FROM, VALUES, DESCRIBE)."""
    if not sql.strip():
        raise InputError("there is no query", where="SQL", remedy=_REMEDY)
    try:
        statements = duckdb.extract_statements(sql)
    except duckdb.Error as error:
        text = " ".join(str(error).split("\nLINE ")[0].split()).removeprefix("Parser Error: ")
        raise InputError(text, where="SQL", remedy=_REMEDY) from error
    if len(statements) != 1:
        raise InputError(
            f"there are {len(statements)} statements, one is allowed", where="SQL", remedy=_REMEDY
        )
    kind = statements[0].type
    if kind != duckdb.StatementType.SELECT:
        raise InputError(f"{kind.name} is not allowed", where="SQL", remedy=_REMEDY)
