"""Values in JSON by a path such as `orders.amount_usd`; a list on the way stands for its items."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any


def values_at(value: Any, path: str) -> list[Any]:
    """Every value at a path, in order; those that are absent or null are left out.

    A list at the end of the path gives its items. `""` is the value itself.
    """
    found = [value]
    for name in path.split(".") if path else ():
        found = [item[name] for item in _items(found) if isinstance(item, Mapping) and name in item]
    return [item for item in _items(found) if item is not None]


def missing_at(value: Any, path: str) -> int:
    """In how many places the field at a path is absent or null; a list on the way is each item."""
    return _missing(value, path.split("."))


def number(value: Any) -> float | None:
    """A number, also one written as text; None for anything else, and for NaN and infinity."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        found = float(Decimal(value if isinstance(value, str) else str(value)))
    except (InvalidOperation, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _missing(value: Any, names: Sequence[str]) -> int:
    if isinstance(value, list | tuple):
        return sum(_missing(item, names) for item in value)
    if value is None or not names:
        return int(value is None)
    if not isinstance(value, Mapping):
        return 1
    return _missing(value.get(names[0]), names[1:])


def _items(values: list[Any]) -> list[Any]:
    flat: list[Any] = []
    for value in values:
        if isinstance(value, list | tuple | set | frozenset):
            flat.extend(_items(list(value)))
        else:
            flat.append(value)
    return flat
