"""Text made safe for Markdown: what was said in a trace may be markup and must stay text.

Escapes what CommonMark and GitHub's dialect would act on: emphasis, code, links, images, HTML,
tables, mathematics, headings, lists, and bare addresses that would become links.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\`*\[\]<>&|~$!]")
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
# An underscore inside a word is no emphasis, and tools have such names.
_EDGE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_BARE_ADDRESS = re.compile(r"://|(?<=www)\.", re.IGNORECASE)
_LINE_START = re.compile(r"(?:[#+=-]|\d{1,9}(?=[.)]))")


class Safe(str):
    """Markdown that is meant as such."""

    __slots__ = ()


def escape(value: object) -> Safe:
    """One line of text that Markdown shows as it is."""
    if isinstance(value, Safe):
        return value
    text = " ".join(str(value).split())
    text = "".join(c for c in text if c.isprintable())
    text = _SPECIAL.sub(lambda m: _ENTITIES.get(m[0], f"\\{m[0]}"), text)
    text = _EDGE_UNDERSCORE.sub(r"\\_", text)
    text = _BARE_ADDRESS.sub(lambda m: "\\.\u200b" if m[0] == "." else ":\\//", text)
    start = _LINE_START.match(text)
    if start:
        at = start.end() if start[0].isdigit() else 0
        text = f"{text[:at]}\\{text[at:]}"
    return Safe(text)


def quoted(value: object) -> Safe:
    """Text of several lines as a block quote."""
    lines = str(value).strip().splitlines() or [""]
    return Safe("\n".join(f"> {escape(line)}  ".rstrip(" ") + "  " for line in lines))


def link(label: object, url: str) -> Safe:
    """A link; `url` is one of ours, already encoded."""
    return Safe(f"[{escape(label)}]({url})")
