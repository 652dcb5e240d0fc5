"""What a query of the endpoint may be: one SELECT over the store's views and tables.

DuckDB's parser says what it is, as a tree. Every table, table function and statement in it must
be one that is known here; what is not known is refused. A statement's type alone does not do: a
WITH may hold an INSERT and still count as a SELECT, and a quoted table name may be a file's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from goldspan.tracing.errors import InputError
from goldspan.tracing.store.migrations import VIEW_ORDER
from goldspan.tracing.store.problems import query_problem
from goldspan.tracing.store.readonly import require_select

_REMEDY = "a query reads the store's views and nothing else"
_STATEMENTS = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
_TABLES = {
    "BASE_TABLE", "SUBQUERY", "JOIN", "TABLE_FUNCTION", "EXPRESSION_LIST", "EMPTY", "PIVOT",
    "SHOW_REF", "COLUMN_DATA",
}  # fmt: skip
TABLE_FUNCTIONS = frozenset(
    {"generate_series", "histogram", "histogram_values", "json_each", "json_tree", "range",
     "regexp_split_to_table", "repeat", "unnest"}
)  # fmt: skip
# Functions that tell of the server or act on it.
REFUSED_FUNCTIONS = frozenset(
    {"currval", "current_query", "current_setting", "getenv", "getvariable", "nextval", "pg_sleep",
     "set_config", "setseed", "setval", "sleep", "sleep_ms", "stats", "write_log"}
)  # fmt: skip
_REFUSED_PREFIXES = ("inet_", "pragma_", "duckdb_", "read_", "file_")
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*\Z")  # never a file's: those have a dot or slash
_SCHEMAS = {"", "main"}
_LISTINGS = {"tables", "__show_tables_expanded"}


def require_reading(sql: str, connection: duckdb.DuckDBPyConnection) -> None:
    """Raise InputError unless `sql` is one SELECT that reads the store and nothing else.

    The connection is the store's; it says which tables there are.
    """
    require_select(sql)
    tree = _parsed(sql, connection)
    tables = _tables(connection)
    ctes = {name.lower() for name in _cte_names(tree)}
    for name in ctes:
        if not _PLAIN_NAME.match(name):
            raise _refused(f"the name {name!r}")
    for node in _nodes(tree):
        _check(node, tables | ctes)


def _parsed(sql: str, connection: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    try:
        row = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    except duckdb.Error as error:
        raise InputError(f"cannot be checked: {error}", where="SQL", remedy=_REMEDY) from error
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree.get("error") or len(tree["statements"]) != 1:
        what = tree.get("error_message", "cannot be checked")
        raise InputError(str(what), where="SQL", remedy=_REMEDY)
    return tree


def _tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    found = connection.execute(
        "SELECT lower(table_name) FROM information_schema.tables WHERE table_schema = 'main'"
        " AND table_catalog = current_database()"
    ).fetchall()
    return {name for (name,) in found}


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _cte_names(tree: dict[str, Any]) -> Iterator[str]:
    for node in _nodes(tree):
        for entry in (node.get("cte_map") or {}).get("map", ()):
            yield str(entry["key"])
        if node.get("type") in ("RECURSIVE_CTE_NODE", "CTE_NODE"):
            yield str(node.get("cte_name") or node.get("ctename") or "x")


def _check(node: dict[str, Any], tables: set[str]) -> None:
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in _STATEMENTS:
        raise _refused(kind.removesuffix("_NODE").removesuffix("_QUERY"))
    if "sample" in node and "class" not in node and not kind.endswith("_NODE"):
        _check_table(node, kind, tables)
    if "function_name" in node:
        name = str(node["function_name"]).lower()
        if name in REFUSED_FUNCTIONS or name.startswith(_REFUSED_PREFIXES):
            raise _refused(f"the function {name}")


def _check_table(node: dict[str, Any], kind: str, tables: set[str]) -> None:
    if kind not in _TABLES:
        raise _refused(kind)
    if kind == "BASE_TABLE":
        _check_name(node, tables)
    elif kind == "TABLE_FUNCTION":
        name = str(node["function"].get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise _refused(f"the table function {name}")
    elif kind == "SHOW_REF" and not node.get("query"):
        name = str(node.get("table_name", "")).strip('"').lower()
        if name not in _LISTINGS | tables:
            raise _refused(f"SHOW {name}")


def _check_name(node: dict[str, Any], tables: set[str]) -> None:
    name, schema = str(node.get("table_name", "")), str(node.get("schema_name", "")).lower()
    if schema == "information_schema" and _PLAIN_NAME.match(name):
        return
    if name.lower() in tables and schema in _SCHEMAS:
        return
    if _PLAIN_NAME.match(name) and schema in _SCHEMAS:
        # Or one of DuckDB's own views: for a query there is none of these either.
        missing = duckdb.CatalogException(f"Catalog Error: Table with name {name} does not exist!")
        raise query_problem(missing, list(VIEW_ORDER))
    raise _refused(f"the table {name!r}")


def _refused(what: str) -> InputError:
    return InputError(f"{what} is not allowed", where="SQL", remedy=_REMEDY)
