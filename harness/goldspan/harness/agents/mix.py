"""Versions between two versions: the old one with some of the new one's changes applied."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import yaml

from goldspan.harness.agents.diff import MODEL, ORDER, Change, VersionDiff, with_hunks
from goldspan.harness.agents.version import DECIDING_FILES, AgentVersion
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.files import parse_yaml, read_text, write_text

_ABSENT = object()


def mix_versions(diff: VersionDiff, parts: Collection[str], folder: Path) -> AgentVersion:
    """The old version with these parts changed, made below `folder` and loaded.

    None of them is the old version itself and all of them the new one, with their own digests. A
    file of which all or no changes are wanted is copied to the byte. Raises `ConfigError` where the
    parts do not go together (an example that calls a tool that is not there) and `ValueError` for a
    part that does not differ.
    """
    known = {change.part for change in diff.changes}
    chosen = set(parts)
    if not chosen <= known:
        raise ValueError(f"no such change: {', '.join(sorted(chosen - known))}")
    if not chosen:
        return diff.old
    if chosen == known:
        return diff.new
    home = folder / diff.old.name / _name(diff, chosen)
    for file in DECIDING_FILES:
        body = _file(diff, file, chosen)
        if body is not None:
            write_text(home / file, body)
    return AgentVersion.load(home)


def check_tools_exist(version: AgentVersion) -> None:
    """Raises `ConfigError` where the version lists a tool that its environment does not have."""
    version.tools(version.environment())


def _name(diff: VersionDiff, chosen: set[str]) -> str:
    """A version's name: the part where it is one, else their number and a digest of them."""
    if len(chosen) == 1:
        return f"{diff.old.version}+{next(iter(chosen)).replace('/', '-')}"
    digest = hashlib.sha256("\0".join(sorted(chosen)).encode()).hexdigest()[:8]
    return f"{diff.old.version}+{len(chosen)}-changes-{digest}"


def _file(diff: VersionDiff, file: str, chosen: set[str]) -> str | None:
    """The text of one file of the mixed version; None where it has none."""
    here = [change for change in diff.changes if change.file == file]
    wanted = [change for change in here if change.part in chosen]
    whole = diff.old if not wanted else diff.new if len(wanted) == len(here) else None
    if whole is not None:
        path = whole.path / file
        return read_text(path, ConfigError) if path.exists() else None
    if file == "system-prompt.md":
        numbers = {change.hunk for change in wanted if change.hunk is not None}
        return with_hunks(diff.old.system_prompt, diff.new.system_prompt, numbers)
    values = _yaml(diff.old.path / file), _yaml(diff.new.path / file)
    if file == "config.yaml":
        return _dumped(_config(*values, wanted))
    return _dumped(_tools(*values, {change.part for change in wanted}))


def _config(old: dict[str, Any], new: dict[str, Any], wanted: list[Change]) -> dict[str, Any]:
    mixed = copy.deepcopy(old)
    for change in wanted:
        paths = [("provider",), ("model",)] if change.part == MODEL else [change.path]
        for path in paths:
            _carry(new, mixed, path)
    return mixed


def _carry(source: dict[str, Any], target: dict[str, Any], path: tuple[str, ...]) -> None:
    """Set a field as `source` has it; where it leaves it to the default, so does `target` then."""
    *parents, last = path
    found: Any = source
    for key in path:
        found = found.get(key, _ABSENT) if isinstance(found, dict) else _ABSENT
    for key in parents:
        inner = target.get(key)
        target = target.setdefault(key, {}) if isinstance(inner, dict) else _put(target, key)
    if found is _ABSENT:
        target.pop(last, None)
    else:
        target[last] = copy.deepcopy(found)


def _put(target: dict[str, Any], key: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    target[key] = made
    return made


def _tools(old: list[Any], new: list[Any], parts: set[str]) -> list[Any]:
    before, after = ({entry["name"]: entry for entry in listed} for listed in (old, new))
    kept = {
        name: (after if f"tools.{name}" in parts else before).get(name)
        for name in dict.fromkeys([*before, *after])
    }
    present = {name: entry for name, entry in kept.items() if entry is not None}
    first, second = (list(after), list(before)) if ORDER in parts else (list(before), list(after))
    names = [name for name in first if name in present]
    for index, name in enumerate(second):
        if name in present and name not in names:
            earlier = [n for n in second[:index] if n in names]
            names.insert(names.index(earlier[-1]) + 1 if earlier else 0, name)
    return [present[name] for name in names]


def _yaml(path: Path) -> Any:
    return parse_yaml(read_text(path, ConfigError), path, ConfigError)[0]


def _dumped(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)
