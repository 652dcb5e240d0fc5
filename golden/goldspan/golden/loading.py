"""Reads golden cases from YAML and JSON lines, and tells every fault with its line."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from goldspan.golden.case import (
    AnswerExpectation,
    ArgumentExpectation,
    Bounds,
    Case,
    Expectation,
    ToolExpectation,
)
from goldspan.golden.faults import CaseErrors, Fault, did_you_mean, line_of
from goldspan.tracing.errors import InputError

MODELS: dict[str, type[BaseModel]] = {
    "expect": Expectation,
    "tools": ToolExpectation,
    "arguments": ArgumentExpectation,
    "answer": AnswerExpectation,
    "bounds": Bounds,
}


@dataclass(frozen=True)
class Placed:
    """A case with where it stands: its file, and the node that its fields' lines come from."""

    case: Case
    path: str
    node: Any

    def line(self, location: Sequence[Any] = ()) -> int:
        """The line of a field of the case."""
        return line_of(self.node, location)


@dataclass(frozen=True)
class CaseSet:
    """Cases in the order of their files."""

    placed: tuple[Placed, ...]

    @property
    def cases(self) -> list[Case]:
        """The cases."""
        return [each.case for each in self.placed]

    @property
    def digest(self) -> str:
        """SHA-256 over ids and contents; the order of files and cases does not matter."""
        lines = sorted(f"{case.id} {case.digest}" for case in self.cases)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def select(
        self, ids: Sequence[str] | None = None, tags: Sequence[str] | None = None
    ) -> list[Case]:
        """The cases of these ids that have one of these tags; None takes all.

        Raises `InputError` for an id or a tag that no case has.
        """
        known = [case.id for case in self.cases]
        for name in ids or ():
            if name not in known:
                raise InputError(f"no case {name!r}{did_you_mean(name, known)}")
        tagged = sorted({tag for case in self.cases for tag in case.tags})
        for name in tags or ():
            if name not in tagged:
                raise InputError(f"no case has the tag {name!r}{did_you_mean(name, tagged)}")
        return [
            case
            for case in self.cases
            if (ids is None or case.id in ids) and (tags is None or set(tags) & set(case.tags))
        ]


def load_cases(paths: Iterable[str | Path], base: Path | None = None) -> CaseSet:
    """The cases of files and glob patterns, relative to `base`.

    Raises `CaseErrors` with every fault of every file; a pattern without files is one.
    """
    placed: list[Placed] = []
    faults: list[Fault] = []
    for path in _files(paths, base, faults):
        _read(path, placed, faults)
    seen: dict[str, Placed] = {}
    for each in placed:
        first = seen.setdefault(each.case.id, each)
        if first is not each:
            place = f"{first.path}:{first.line(('id',))}"
            message = f"id: {each.case.id!r} is there twice, first at {place}"
            faults.append(Fault(each.path, each.line(("id",)), message))
    if not placed and not faults:
        faults.append(Fault(str(base or "."), 1, "no cases"))
    if faults:
        raise CaseErrors(faults)
    return CaseSet(tuple(placed))


def unknown_tools(case_set: CaseSet, tools: Iterable[str]) -> list[Fault]:
    """A fault for each tool that a case names and the agent does not have."""
    known = sorted(tools)
    return [
        Fault(
            each.path,
            each.line(location),
            f"{each.case.id}: unknown tool {name!r}{did_you_mean(name, known)}",
        )
        for each in case_set.placed
        for location, name in each.case.expect.tool_names()
        if name not in known
    ]


def check_tools(case_set: CaseSet, tools: Iterable[str]) -> None:
    """Raises `CaseErrors` where a case names a tool that the agent does not have."""
    faults = unknown_tools(case_set, tools)
    if faults:
        raise CaseErrors(faults)


def _files(paths: Iterable[str | Path], base: Path | None, faults: list[Fault]) -> list[Path]:
    found: dict[Path, None] = {}
    for pattern in map(str, paths):
        whole = str((base or Path()) / pattern)
        matched = [Path(n) for n in sorted(glob.glob(whole, recursive=True))]  # noqa: PTH207  patterns may be absolute
        folders = [path for path in matched if path.is_dir()]
        files = [path for path in matched if not path.is_dir()]
        for folder in folders:
            files += sorted(p for p in folder.rglob("*") if p.suffix in (".yaml", ".yml", ".jsonl"))
            files = [p for p in files if p.name != "suite.yaml"]
        if not files:
            faults.append(Fault(whole, 1, "no such file of cases"))
        found.update(dict.fromkeys(files))
    return list(found)


def _read(path: Path, placed: list[Placed], faults: list[Fault]) -> None:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        faults.append(Fault(str(path), 1, f"cannot be read: {error.strerror}"))
        return
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        faults.append(Fault(str(path), line, "not UTF-8 text"))
        return
    rows = _json_lines(path, text, faults) if path.suffix == ".jsonl" else None
    for value, node in rows if rows is not None else _yaml_rows(path, text, faults):
        try:
            placed.append(Placed(Case.model_validate(value), str(path), node))
        except ValidationError as error:
            faults.extend(_faults(path, node, value, error))


def _json_lines(path: Path, text: str, faults: list[Fault]) -> list[tuple[Any, Any]]:
    rows: list[tuple[Any, Any]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append((json.loads(line), _Line(number)))
        except (ValueError, RecursionError) as error:
            faults.append(Fault(str(path), number, f"not JSON: {error}"))
    return rows


class _Line:
    """Stands for the node of a JSON line: every field is on it."""

    value = None

    def __init__(self, number: int) -> None:
        self.start_mark = yaml.Mark("", 0, number - 1, 0, None, 0)


def _yaml_rows(path: Path, text: str, faults: list[Fault]) -> list[tuple[Any, Any]]:
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or str(error).splitlines()[0]
        faults.append(Fault(str(path), mark.line + 1 if mark else 1, f"not YAML: {what}"))
        return []
    if isinstance(value, dict) and set(value) == {"cases"} and isinstance(value["cases"], list):
        items = getattr(node, "value", [])[0][1].value
        return list(zip(value["cases"], items, strict=True))
    faults.append(Fault(str(path), 1, "must have one key, cases:, with a list of cases"))
    return []


def _faults(path: Path, node: Any, value: Any, error: ValidationError) -> list[Fault]:
    name = value.get("id") if isinstance(value, dict) else None
    found = []
    for each in error.errors(include_url=False):
        location = tuple(p for p in each["loc"] if not str(p).startswith(("literal[", "tuple[")))
        field = ".".join(str(part) for part in location) or "case"
        hint = ""
        if each["type"] == "extra_forbidden":
            hint = did_you_mean(str(location[-1]), _known_fields(location))
        message = f"{name}: {field}: {each['msg']}{hint}" if name else f"{field}: {each['msg']}"
        found.append(Fault(str(path), line_of(node, location), message))
    return found


def _known_fields(location: tuple[Any, ...]) -> list[str]:
    """The keys that are allowed beside an unknown one."""
    model: type[BaseModel] = Case
    for part in location[:-1]:
        model = MODELS.get(str(part), model)
    return list(model.model_fields)
