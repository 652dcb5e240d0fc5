"""Small pieces of plain text on a page. Every word is escaped: traces are hostile."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Literal

import streamlit as st

Tone = Literal["", "good", "bad", "wait", "info", "made"]

# Middle tones that can be read on white and on near black alike.
_TONES: dict[str, str] = {
    "": "#8a8f98",
    "good": "#2e9e62",
    "bad": "#d9483b",
    "wait": "#c98a14",
    "info": "#3b82d6",
    "made": "#9a63d8",
}
OUTCOME_TONES: dict[str, Tone] = {
    "completed": "good",
    "ok": "good",
    "paused": "wait",
    "running": "info",
    "failed": "bad",
    "error": "bad",
    "aborted": "bad",
    "killed": "bad",
}

Fact = tuple[str, str] | tuple[str, str, Tone]


def badge(text: str, tone: Tone = "") -> str:
    """HTML of a small label with escaped text, for use inside the pieces below."""
    colour = _TONES[tone]
    return (
        f'<span style="display:inline-block;padding:0 8px;border-radius:9px;font-size:12px;'
        f"line-height:20px;font-weight:600;color:{colour};"
        f'background:color-mix(in srgb, {colour} 16%, transparent)">{escape(text)}</span>'
    )


def facts(pairs: Iterable[Fact]) -> None:
    """Show labelled values in a row that wraps; a tone makes the value a badge."""
    cells = []
    for label, value, *tone in pairs:
        shown = badge(value, tone[0]) if tone else escape(value)
        cells.append(
            '<div style="min-width:0"><div style="font-size:12px;opacity:.7">'
            f'{escape(label)}</div><div style="font-size:14px;overflow-wrap:anywhere">'
            f"{shown}</div></div>"
        )
    if cells:
        st.html(
            '<div style="display:flex;flex-wrap:wrap;gap:6px 26px;line-height:1.45">'
            f"{''.join(cells)}</div>"
        )


def heading(text: str, *badges: tuple[str, Tone], small: bool = False) -> None:
    """Show a heading of foreign text, with labels behind it."""
    size = 16 if small else 24
    st.html(
        f'<div role="heading" aria-level="{3 if small else 2}" style="font-size:{size}px;'
        'font-weight:600;line-height:1.35;overflow-wrap:anywhere">'
        f"{escape(text)} {' '.join(badge(*label) for label in badges)}</div>"
    )


def passage(text: str, *, label: str | None = None, tone: Tone = "", height: int = 340) -> None:
    """Show a longer text as it came, wrapped, scrolling beyond `height` pixels."""
    title = f'<div style="margin-bottom:3px">{badge(label, tone)}</div>' if label else ""
    st.html(
        f'<div style="border-left:3px solid {_TONES[tone]};padding:1px 0 1px 10px">{title}'
        '<div style="white-space:pre-wrap;overflow-wrap:anywhere;font-size:13.5px;line-height:1.5;'
        f'max-height:{height}px;overflow-y:auto">{escape(text)}</div></div>'
    )


def document(text: str, *, is_json: bool) -> None:
    """Show JSON or preformatted text as a code block."""
    tall = text.count("\n") > 16
    st.code(
        text or " ",
        language="json" if is_json else None,
        wrap_lines=True,
        height=340 if tall else "content",
    )
