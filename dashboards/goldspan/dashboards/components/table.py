"""A table whose rows open something, drawn by the browser from text alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Literal

from streamlit.components import v2

Tone = Literal["", "good", "bad", "wait", "info", "made"]
Look = Literal["text", "muted", "mono", "wrap", "badge", "bar"]

_FILES = resources.files(__package__)
_mount = v2.component(
    "goldspan.table",
    html='<div class="frame"><table></table></div>',
    css=(_FILES / "table.css").read_text(encoding="utf-8"),
    js=(_FILES / "table.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Column:
    """A column: its heading, alignment, CSS width, and an explanation on hovering."""

    label: str
    align: Literal["left", "right"] = "left"
    width: str | None = None
    title: str | None = None


@dataclass(frozen=True)
class Cell:
    """A cell: plain text, how it looks, and for a bar how full it is in percent."""

    text: str
    look: Look = "text"
    tone: Tone = ""
    title: str | None = None
    percent: float | None = None


@dataclass(frozen=True)
class Row:
    """A row; with `href` it can be clicked, and opened in a new tab as a link."""

    id: str
    cells: Sequence[Cell]
    href: str | None = None
    selected: bool = field(default=False, kw_only=True)


def table(label: str, columns: Sequence[Column], rows: Sequence[Row], *, key: str) -> str | None:
    """Show the rows and return the id of the row that was just clicked, else None."""
    result = _mount(
        key=key,
        data={
            "label": label,
            "columns": [vars(column) for column in columns],
            "rows": [_row(row) for row in rows],
        },
        on_opened_change=_rerun,
    )
    opened = result.get("opened")
    return opened if isinstance(opened, str) else None


def _row(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "href": row.href,
        "selected": row.selected,
        "cells": [
            {key: value for key, value in vars(cell).items() if value not in (None, "")}
            | {"text": cell.text}
            for cell in row.cells
        ],
    }


def _rerun() -> None:
    """A trigger needs a callback to be part of the result; the rerun itself is Streamlit's."""
