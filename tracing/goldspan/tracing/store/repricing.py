"""What stored calls cost by the prices of today: `goldspan reprice`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import duckdb

from goldspan.tracing.pricing import Price, Prices
from goldspan.tracing.store.queries import sql
from goldspan.tracing.store.span_table import table_of

CALLS_AT_ONCE = 20_000
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Repriced:
    """How many calls were looked at, how many have another price now, and who has none.

    `unpriced` counts the calls without a price by (provider, model), most first.
    """

    calls: int
    changed: int
    unpriced: dict[tuple[str | None, str | None], int]


def reprice(
    connection: duckdb.DuckDBPyConnection, prices: Prices, progress: Progress | None = None
) -> Repriced:
    """Price every stored call anew, in one transaction; `progress` is told calls done of all."""
    connection.execute("BEGIN").fetchall()
    try:
        result = _reprice(connection, prices, progress or (lambda done, total: None))
        connection.execute("COMMIT").fetchall()
    except BaseException:
        connection.execute("ROLLBACK").fetchall()
        raise
    return result


def _reprice(connection: duckdb.DuckDBPyConnection, prices: Prices, progress: Progress) -> Repriced:
    ids = _run(connection, sql("rows_of_calls"))
    total = len(ids)
    changed = done = 0
    unpriced: dict[tuple[str | None, str | None], int] = {}
    for start in range(0, len(ids), CALLS_AT_ONCE):
        first, last = ids[start][0], ids[min(start + CALLS_AT_ONCE, len(ids)) - 1][0]
        cursor = connection.execute(sql("calls_to_price"), {"first": first, "last": last})
        names = [column[0] for column in cursor.description or []]
        rows = []
        for values in cursor.fetchall():
            call = dict(zip(names, values, strict=True))
            price = _price(call, prices)
            done += 1
            if price is None and call["counts"]:
                key = (call["provider"], call["response_model"] or call["request_model"])
                unpriced[key] = unpriced.get(key, 0) + 1
            known = (call["cost_usd"], call["price_source"], call["price_version"])
            now = (price.usd, price.source, price.version) if price else (None, None, None)
            if known != now:
                changed += 1
                rows.append(
                    {
                        "rowid": call["rowid"],
                        "cost_usd": now[0],
                        "price_source": now[1],
                        "price_version": now[2],
                    }
                )
        if rows:
            connection.register("touched", table_of(rows))
            _run(connection, sql("update_prices"))
        progress(done, total)
    if changed:
        _run(connection, sql("update_trace_costs"))
    ranked = sorted(unpriced.items(), key=lambda item: (-item[1], str(item[0])))
    return Repriced(total, changed, dict(ranked))


def _price(call: dict[str, Any], prices: Prices) -> Price | None:
    return prices.of_call(
        provider=call["provider"],
        models=(call["response_model"], call["request_model"]),
        input_tokens=call["input_tokens"],
        output_tokens=call["output_tokens"],
        cached_input_tokens=call["cached_input_tokens"],
        cache_write_tokens=call["cache_write_tokens"],
        reasoning_tokens=call["reasoning_tokens"],
        at=call["started_at"],
        embeddings=call["operation"] == "embeddings",
    )


def _run(connection: duckdb.DuckDBPyConnection, statement: str) -> list[tuple[Any, ...]]:
    return connection.execute(statement).fetchall()
