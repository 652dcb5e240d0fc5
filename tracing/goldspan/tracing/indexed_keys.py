"""Structures that emitters spread over attributes: `prefix.0.message.role`, `prefix.0.content`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_DEEPEST = 12  # names; what is longer stays one name


def indexed(attributes: Mapping[str, Any], prefix: str) -> list[Any]:
    """What stands under `prefix.0...`, `prefix.1...` as a list, in the order of the numbers.

    Inner numbered names become lists, too. Without any such name the list is empty.
    """
    start = prefix + "."
    cut = len(start)
    root: dict[str, Any] = {}
    for name, value in attributes.items():
        if not name.startswith(start) or not name[cut : cut + 1].isdecimal():
            continue
        *path, leaf = name[cut:].split(".", _DEEPEST)
        if not (path[0] if path else leaf).isdecimal():
            continue
        node = root
        for step in path:
            below = node.get(step)
            if not isinstance(below, dict):
                below = {} if below is None else {"value": below}
                node[step] = below
            node = below
        if isinstance(known := node.get(leaf), dict) and not isinstance(value, dict):
            known.setdefault("value", value)
        else:
            node[leaf] = dict(value) if isinstance(value, dict) else value
    folded = _folded(root)
    return folded if isinstance(folded, list) else []


def _folded(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(name.isdecimal() and len(name) < 10 for name in node):
        return [_folded(node[name]) for name in sorted(node, key=int)]
    return {name: _folded(below) for name, below in node.items()}
