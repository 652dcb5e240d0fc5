"""What differs between two agent versions, part by part: prompt, model, config, tools, examples.

A part is named so that a person can say it: `system-prompt`, or `system-prompt#2` for its second
hunk; `model` (with its provider); `config.settings.temperature`; `tools.send_reply`; `tools.order`;
`examples`. What only comments or layout differ in is no change.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

import yaml

from goldspan.harness.agents.version import AgentVersion

ChangeKind: TypeAlias = Literal["added", "removed", "changed"]
PROMPT, MODEL, ORDER, EXAMPLES = "system-prompt", "model", "tools.order", "examples"
_MISSING = object()


@dataclass(frozen=True)
class Change:
    """One part that differs. Values are JSON; None stands for what is not there.

    `path` is where a config field is in `config.yaml`, `hunk` the number of a prompt's hunk from 1.
    """

    part: str
    kind: ChangeKind
    before: Any = None
    after: Any = None
    path: tuple[str, ...] = ()
    hunk: int | None = None

    @property
    def file(self) -> str:
        """The file of the version that the part is in."""
        if self.part.startswith(PROMPT):
            return "system-prompt.md"
        if self.part.startswith("tools."):
            return "tools.yaml"
        return "examples.yaml" if self.part == EXAMPLES else "config.yaml"

    def lines(self) -> list[str]:
        """The change as a person reads it: a unified diff of texts, one line for a value."""
        if self.part.startswith(PROMPT) or self.part == EXAMPLES:
            return unified(_text(self.before), _text(self.after), self.file)
        if self.kind == "added":
            return [f"+ {self.part}: {_short(self.after)}"]
        if self.kind == "removed":
            return [f"- {self.part}: {_short(self.before)}"]
        return [f"{self.part}: {_short(self.before)} → {_short(self.after)}"]


@dataclass(frozen=True)
class VersionDiff:
    """All changes from one version to another, in the order prompt, model, config, tools,
    examples."""

    old: AgentVersion
    new: AgentVersion
    changes: tuple[Change, ...]

    @property
    def same(self) -> bool:
        """The digests agree: no file that decides behaviour differs, to the byte."""
        return self.old.digest == self.new.digest

    @property
    def only_layout(self) -> bool:
        """Files differ, but only in comments and layout. The digests differ all the same."""
        return not self.same and not self.changes

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "old": _identity(self.old),
            "new": _identity(self.new),
            "same_digest": self.same,
            "changes": [
                {**asdict(change), "file": change.file, "lines": change.lines()}
                for change in self.changes
            ],
        }


def diff_versions(old: AgentVersion, new: AgentVersion, *, hunks: bool = False) -> VersionDiff:
    """Compare two versions; with `hunks` each hunk of the prompt is a change of its own."""
    changes = (
        *_prompt(old.system_prompt, new.system_prompt, hunks),
        *_config(old, new),
        *_tools(old, new),
        *_examples(old, new),
    )
    return VersionDiff(old, new, changes)


def unified(before: str, after: str, name: str) -> list[str]:
    """A unified diff without its file header's line ends; `name` is the file's."""
    return list(
        difflib.unified_diff(
            before.splitlines(), after.splitlines(), f"old/{name}", f"new/{name}", lineterm=""
        )
    )


def prompt_hunks(before: str, after: str) -> list[tuple[str, int, int, int, int]]:
    """The runs of lines that differ, as `difflib`'s opcodes over lines that keep their ends."""
    lines = _lines(before), _lines(after)
    codes = difflib.SequenceMatcher(None, *lines, autojunk=False).get_opcodes()
    return [code for code in codes if code[0] != "equal"]


def with_hunks(before: str, after: str, chosen: set[int]) -> str:
    """The prompt with only these hunks of the change, numbered from 1, applied."""
    old, new = _lines(before), _lines(after)
    out: list[str] = []
    at = 0
    for number, (_, i1, i2, j1, j2) in enumerate(prompt_hunks(before, after), 1):
        out += old[at:i1] + (new[j1:j2] if number in chosen else old[i1:i2])
        at = i2
    return "".join(out + old[at:])


def _prompt(before: str, after: str, hunks: bool) -> Iterator[Change]:
    if before.strip() == after.strip():
        return
    count = len(prompt_hunks(before, after))
    if not hunks or count == 1:
        yield Change(PROMPT, "changed", before, after)
        return
    for number in range(1, count + 1):
        only = with_hunks(before, after, {number})
        yield Change(f"{PROMPT}#{number}", "changed", before, only, hunk=number)


def _config(old: AgentVersion, new: AgentVersion) -> Iterator[Change]:
    before = old.config.model_dump(mode="json")
    after = new.config.model_dump(mode="json")
    served = [(c.pop("provider"), c.pop("model")) for c in (before, after)]
    if served[0] != served[1]:
        first, second = (f"{provider}:{model}" for provider, model in served)
        yield Change(MODEL, "changed", first, second)
    for path, one, other in _differing(before, after, ()):
        kind: ChangeKind = "changed"
        if one is _MISSING or other is _MISSING:
            kind = "added" if one is _MISSING else "removed"
        left, right = (None if value is _MISSING else value for value in (one, other))
        yield Change(".".join(("config", *path)), kind, left, right, path=path)


def _differing(
    before: Any, after: Any, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in dict.fromkeys([*before, *after]):
            values = before.get(key, _MISSING), after.get(key, _MISSING)
            yield from _differing(*values, (*path, str(key)))
    elif before is _MISSING or after is _MISSING or before != after:
        yield path, before, after


def _tools(old: AgentVersion, new: AgentVersion) -> Iterator[Change]:
    before = {entry.name: entry.model_dump(mode="json") for entry in old.entries}
    after = {entry.name: entry.model_dump(mode="json") for entry in new.entries}
    for name in dict.fromkeys([*before, *after]):
        one, other = before.get(name), after.get(name)
        if one != other:
            kind: ChangeKind = "added" if one is None else "removed" if other is None else "changed"
            yield Change(f"tools.{name}", kind, one, other)
    kept = [n for n in before if n in after], [n for n in after if n in before]
    if kept[0] != kept[1]:
        yield Change(ORDER, "changed", *kept)


def _examples(old: AgentVersion, new: AgentVersion) -> Iterator[Change]:
    before, after = ([e.model_dump(mode="json") for e in v.examples] for v in (old, new))
    if before != after:
        kind: ChangeKind = "added" if not before else "removed" if not after else "changed"
        yield Change(EXAMPLES, kind, before, after)


def _identity(version: AgentVersion) -> dict[str, str]:
    return {"agent": version.name, "version": version.version, "digest": version.digest}


def _lines(text: str) -> list[str]:
    # The last line gets an end: else a line added behind it would count as a change of it too.
    return (text if text.endswith("\n") or not text else text + "\n").splitlines(keepends=True)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not value:
        return ""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=100)


def _short(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
