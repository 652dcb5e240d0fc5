"""How numbers, times and ids are shown; what is not known is an em dash, never zero."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

NOTHING = "—"
_MARKDOWN = str.maketrans({c: f"\\{c}" for c in "\\`*_{}[]()<>#+-.!|~$:&"})


def known(value: Any) -> bool:
    """Whether a cell holds a value: neither None nor any of pandas' kinds of missing."""
    if value is None:
        return False
    try:
        return not math.isnan(value)
    except TypeError:
        return str(value) not in {"<NA>", "NaT"}


def usd(value: Any) -> str:
    """Money in US dollars, with enough digits that a small cost does not read as nothing."""
    if not known(value):
        return NOTHING
    amount = float(value)
    if amount == 0:
        return "$0"
    if abs(amount) >= 1:
        return f"${amount:,.2f}"
    if abs(amount) >= 0.001:
        return f"${amount:.4f}"
    digits = 1 - math.floor(math.log10(abs(amount)))
    return f"${amount:.{digits}f}"


def duration(milliseconds: Any) -> str:
    """A duration given in milliseconds, in the unit that a person would say."""
    if not known(milliseconds):
        return NOTHING
    ms = float(milliseconds)
    if ms < 10:
        return f"{ms:.1f} ms"
    if ms < 1000:
        return f"{ms:.0f} ms"
    if ms < 59_950:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(round(ms / 1000), 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def count(value: Any) -> str:
    """A whole number with separators, or shortened from ten thousand on."""
    if not known(value):
        return NOTHING
    number = float(value)
    if abs(number) >= 1_000_000:
        return f"{number / 1_000_000:.1f}M"
    if abs(number) >= 10_000:
        return f"{number / 1000:.1f}k"
    return f"{number:,.0f}"


def tokens(taken: Any, given: Any) -> str:
    """Input and output tokens of a call, of which either may be unknown."""
    if not known(taken) and not known(given):
        return NOTHING
    return f"{count(taken)} + {count(given)}"


def share(value: Any) -> str:
    """A share between 0 and 1 as a percentage."""
    return f"{float(value) * 100:.0f}%" if known(value) else NOTHING


def points(value: Any) -> str:
    """A difference of two shares in percentage points, with its sign."""
    if not known(value):
        return NOTHING
    rounded = round(float(value) * 100)
    return f"{rounded:+d} pts" if rounded else "0 pts"


def moment(value: Any) -> str:
    """A time in UTC, to the second."""
    if not known(value):
        return NOTHING
    at: datetime = value.to_pydatetime() if hasattr(value, "to_pydatetime") else value
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    return f"{at:%Y-%m-%d %H:%M:%S}"


def short_id(value: Any, length: int = 8) -> str:
    """The start of an id, for a column; the whole one stays in the link."""
    return str(value)[:length] if known(value) else NOTHING


def line(value: Any, limit: int = 120) -> str:
    """Text folded to one line and cut, for a cell of a table."""
    if not known(value):
        return NOTHING
    text = " ".join(str(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def pretty(value: Any) -> str:
    """A JSON value, or a string that holds one, indented; any other text as it is."""
    found = value
    if isinstance(value, str):
        try:
            found = json.loads(value)
        except ValueError:
            return value
        if isinstance(found, str):
            return found
    return json.dumps(found, ensure_ascii=False, indent=2, default=str)


def decoded(value: Any) -> Any:
    """The JSON value that a column holds as text; text that is no JSON stays text."""
    if not isinstance(value, str):
        return value if isinstance(value, dict | list) or known(value) else None
    try:
        return json.loads(value)
    except ValueError:
        return value


def plain(value: Any) -> str:
    """Text made safe for a place that Streamlit renders as Markdown."""
    return " ".join(str(value).translate(_MARKDOWN).split())
