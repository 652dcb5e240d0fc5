"""The rows of a file of cases, as JSON values with the lines of their fields.

YAML is read as what JSON can hold, so that a case means the same in either format: a date stays
the text it is written as, and a key that is there twice, or is no text, is a fault.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from goldspan.golden.faults import Fault, line_of

MAX_DEPTH = 50
MAX_NODES = 200_000
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True)
class Row:
    """One case as it is written, and the node that the lines of its fields come from."""

    value: Any
    node: Any


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012  declared so by PyYAML
        first: [(tag, r) for tag, r in known if tag not in (_TAG + "timestamp", _TAG + "value")]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    yaml_constructors = {  # noqa: RUF012  declared so by PyYAML
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None
        or tag.removeprefix(_TAG) in ("null", "bool", "int", "float", "str", "seq", "map")
    }


class _Line:
    """Stands for the node of a JSON line: every field is on it."""

    value = None

    def __init__(self, number: int) -> None:
        self.start_mark = yaml.Mark("", 0, number - 1, 0, None, 0)


def rows_of(path: str, text: str) -> tuple[list[Row], list[Fault]]:
    """The rows of a text, by the file's suffix JSON lines or YAML, and what is wrong with it."""
    found, faults = _json_rows(path, text) if path.endswith(".jsonl") else _yaml_rows(path, text)
    sound = []
    for row in found:
        wrong = [
            Fault(path, line_of(row.node, at), f"{'.'.join(map(str, at)) or 'case'}: {what}")
            for at, what in json_problems(row.value)
        ]
        faults += wrong
        if not wrong:
            sound.append(row)
    return sound, faults


def _json_rows(path: str, text: str) -> tuple[list[Row], list[Fault]]:
    found, faults = [], []
    # Not splitlines(): a JSON text may hold U+2028 as it is.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, object_pairs_hook=_once, parse_constant=_no_constant)
            found.append(Row(value, _Line(number)))
        except (ValueError, RecursionError) as error:
            what = getattr(error, "msg", None) or str(error)
            faults.append(Fault(path, number, f"not JSON: {what}"))
    return found, faults


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in pairs:
        if key in made:
            raise ValueError(f"key {key!r} is there twice")
        made[key] = value
    return made


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number of JSON")


def list_indent(text: str) -> int | None:
    """The column of the dashes under `cases:`, None where that is no list in block style."""
    try:
        node = yaml.compose(text, _Loader)
    except (yaml.YAMLError, RecursionError):
        return None
    listed = node.value[0][1] if isinstance(node, yaml.MappingNode) and node.value else None
    if not isinstance(listed, yaml.SequenceNode) or listed.flow_style:
        return None
    return int(listed.start_mark.column)


def _yaml_rows(path: str, text: str) -> tuple[list[Row], list[Fault]]:
    try:
        node: Any = yaml.compose(text, _Loader)
        found = _node_faults(node)
        faults = [Fault(path, at.start_mark.line + 1, what) for at, what, _ in found]
        if any(fatal for _, _, fatal in found):
            return [], faults
        value = yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, LookupError, TypeError, RecursionError) as error:
        # Not only YAMLError: PyYAML lets what `!!int` or `!!bool` raise on an odd text through.
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).partition("\n")[0]
        return [], [Fault(path, mark.line + 1 if mark else 1, f"not YAML: {what}")]
    if isinstance(value, dict) and set(value) == {"cases"} and isinstance(value["cases"], list):
        items = next((each.value for key, each in node.value if key.value == "cases"), None)
        if items is not None and len(items) == len(value["cases"]):
            return list(map(Row, value["cases"], items)), faults
    return [], [*faults, Fault(path, 1, "must have one key, cases:, with a list of cases")]


def _node_faults(root: Any) -> list[tuple[Any, str, bool]]:
    """What a node tree holds that a JSON value cannot: the node, what, and whether it is fatal,
    so that no value should be made of the tree."""
    found: list[tuple[Any, str, bool]] = []
    waiting: list[tuple[Any, tuple[int, ...]]] = [(root, ())]
    visited = 0
    while waiting:
        node, above = waiting.pop()
        visited += 1
        if id(node) in above:
            found.append((node, "an alias leads back to where it stands", True))
            continue
        if len(above) > MAX_DEPTH or visited > MAX_NODES:
            return [*found, (node, "nested too deeply, or too large with its aliases", True)]
        below = (*above, id(node))
        if isinstance(node, yaml.MappingNode):
            found += _key_faults(node)
            waiting += [(value, below) for _, value in reversed(node.value)]
        elif isinstance(node, yaml.SequenceNode):
            waiting += [(child, below) for child in reversed(node.value)]
    return found


def _key_faults(node: yaml.MappingNode) -> Iterator[tuple[Any, str, bool]]:
    seen: dict[str, int] = {}
    for key, _ in node.value:
        if key.tag == _TAG + "merge":
            continue
        if key.tag != _TAG + "str":
            kind = key.tag.removeprefix(_TAG)
            written = f" {key.value!r}" if isinstance(key.value, str) else ""
            yield key, f"key{written} is read as {kind}, not as text (put it in quotes)", True
        elif key.value in seen:
            yield key, f"key {key.value!r} is there twice, first in line {seen[key.value]}", False
        else:
            seen[key.value] = key.start_mark.line + 1


def json_problems(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """What a value holds that cannot be written as JSON in UTF-8, and where."""
    if len(at) > MAX_DEPTH:
        yield at[:3], "nested too deeply"
    elif isinstance(value, str):
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            yield at, "holds half of a character (a lone surrogate)"
    elif isinstance(value, float) and not math.isfinite(value):
        yield at, f"{value} is no number of JSON"
    elif isinstance(value, int) and abs(value) >= 2**63:
        yield at, "does not fit into 64 bits"
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from json_problems(each, (*at, index))
    elif isinstance(value, dict):
        for key, each in value.items():
            if key.isascii() or not any("\ud800" <= c <= "\udfff" for c in key):
                yield from json_problems(each, (*at, key))
            else:
                yield at, "a key holds half of a character (a lone surrogate)"
