"""The log store: a folder per service, a file per hour that was collected.

An hour without a file was never collected. A file may open with a line that marks a part of its
hour as lost. So "nothing was logged" and "we do not know" can be told apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from goldspan.harness.demo.database import DATA
from goldspan.tracing.errors import InputError

FOLDER = "logs"
HOUR = timedelta(hours=1)
STAMP = "%Y-%m-%dT%H"


@dataclass(frozen=True)
class LogSlice:
    """What a search found. `missing` are ranges of hours without a file, `gaps` lost parts."""

    entries: list[dict[str, str]]
    missing: list[str]
    gaps: list[str]


def write(
    workspace: Path, windows: Sequence[Mapping[str, Any]], removed: Sequence[Mapping[str, str]]
) -> None:
    """Write the packaged windows, less `removed`, with `windows` added or replaced.

    Raises `InputError` where a window or an entry cannot be read.
    """
    kept = {(w["service"], w["window"]): w for w in _packaged()}
    for window in removed:
        if kept.pop((window["service"], window["window"]), None) is None:
            raise InputError(f"there is no window {dict(window)} to remove", where="setup.logs")
    for window in windows:
        kept[window["service"], window["window"]] = dict(window)
    for (service, hour), window in sorted(kept.items()):
        path = workspace / FOLDER / service / f"{_hour(hour):{STAMP}}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [{"gap": window["gap"]}] if window.get("gap") else []
        lines += [_entry(text, hour) for text in window.get("entries", ())]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def services(workspace: Path) -> list[str]:
    """The names of the services that have logs, sorted."""
    return sorted(path.name for path in (workspace / FOLDER).iterdir())


def search(workspace: Path, service: str, start: datetime, end: datetime) -> LogSlice:
    """The entries of a service from `start` (included) to `end` (not included), UTC."""
    entries: list[dict[str, str]] = []
    missing: list[datetime] = []
    gaps: list[str] = []
    hour = start.replace(minute=0, second=0, microsecond=0)
    while hour < end:
        path = workspace / FOLDER / service / f"{hour:{STAMP}}.jsonl"
        if path.exists():
            for line in _lines(path):
                if "gap" in line:
                    gaps.append(f"{hour:%Y-%m-%d} {line['gap']}")
                    continue
                at = hour + timedelta(minutes=int(line["time"][3:]))
                if start <= at < end:
                    entries.append(line)
        else:
            missing.append(hour)
        hour += HOUR
    return LogSlice(entries, _ranges(missing), gaps)


def known_ids(workspace: Path) -> set[str]:
    """The ids of all log entries of the run."""
    return {
        line["id"]
        for path in (workspace / FOLDER).glob("*/*.jsonl")
        for line in _lines(path)
        if "id" in line
    }


def _ranges(hours: Sequence[datetime]) -> list[str]:
    """Neighbouring hours joined: a day without logs is one line, not twenty-four."""
    ranges: list[tuple[datetime, datetime]] = []
    for hour in hours:
        if ranges and ranges[-1][1] == hour:
            ranges[-1] = (ranges[-1][0], hour + HOUR)
        else:
            ranges.append((hour, hour + HOUR))
    return [f"{first:%Y-%m-%d %H:%M} to {last:%H:%M}" for first, last in ranges]


def _lines(path: Path) -> Iterator[dict[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


@cache
def _packaged() -> list[dict[str, Any]]:
    windows: list[dict[str, Any]] = yaml.safe_load((DATA / "logs.yaml").read_text(encoding="utf-8"))
    return windows


def _hour(text: str) -> datetime:
    try:
        return datetime.strptime(text, STAMP)
    except (TypeError, ValueError):
        raise InputError(
            f"{text!r} is not an hour", where="setup.logs", remedy="write 2026-11-17T09"
        ) from None


def _entry(text: str, hour: str) -> dict[str, str]:
    parts = text.split(maxsplit=3)
    if len(parts) != 4 or parts[1][:2] != hour[-2:]:
        raise InputError(
            f"{text!r} is not an entry of the hour {hour}",
            where="setup.logs",
            remedy="write id, time, level and text: G-1 09:05 INFO ready",
        )
    return dict(zip(("id", "time", "level", "text"), parts, strict=True))
