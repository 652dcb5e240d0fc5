"""docs/a-day.md as its test reads it: hours, sentences with their marks, and commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "a-day.md"
MARK = re.compile(r"<!-- (\d{4}-[a-z0-9-]+) -->")
HOUR = re.compile(r"^## (\d\d:\d\d) .*$", re.MULTILINE)
BLOCK = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
# A sentence ends with its stop, and what quotes or emphasises may stand behind that.
END = re.compile(r"[.!?][*`\"')]*(?=\s|<|$)")


def hours(text: str | None = None) -> dict[str, str]:
    """The text of each hour, without its heading."""
    parts = HOUR.split(PAGE.read_text(encoding="utf-8") if text is None else text)
    found = dict(zip(parts[1::2], parts[2::2], strict=True))
    return {hour: body.split("\n## ")[0] for hour, body in found.items()}


def commands(hour: str) -> list[list[str]]:
    """The commands of an hour, without `goldspan`."""
    lines = "\n".join(BLOCK.findall(hours()[hour])).splitlines()
    typed = [line for line in lines if line.startswith("$ goldspan ")]
    return [shlex.split(line.removeprefix("$ "), comments=True)[1:] for line in typed]


def typed(hour: str, command: str) -> list[str]:
    """An hour's only command of this name."""
    (found,) = (argv for argv in commands(hour) if argv[0] == command)
    return found


def sentences(text: str | None = None) -> list[tuple[str, str | None]]:
    """Every sentence of the hours, on one line, with its mark; None for one that has none."""
    found: list[tuple[str, str | None]] = []
    for body in hours(text).values():
        prose = " ".join(BLOCK.sub("", body).split())
        while prose:
            end = END.search(prose)
            said, rest = (prose[: end.end()], prose[end.end() :]) if end else (prose, "")
            mark = MARK.match(rest.lstrip())
            found.append((MARK.sub("", said).strip(), mark[1] if mark else None))
            prose = (rest.lstrip()[mark.end() :] if mark else rest).strip()
    return found
