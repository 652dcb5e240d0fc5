"""Writes cases as text, and adds them to files in which nothing else is changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import yaml

from goldspan.golden.case import Case
from goldspan.golden.faults import CaseErrors
from goldspan.golden.loading import CaseSet, load_cases, parse_cases
from goldspan.golden.rows import list_indent
from goldspan.tracing.errors import InputError

TO_REVIEW = "# Proposed from a trace: keep what matters, correct the rest, then remove `review`.\n"


def case_yaml(case: Case, *, indent: int = 2) -> str:
    """A case as an item of the list under `cases:`; one to review says so in a comment."""
    body = case.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump([body], sort_keys=False, allow_unicode=True, width=96)
    lines = ((TO_REVIEW if case.review else "") + text).splitlines()
    return "".join(f"{' ' * indent}{line}\n" if line else "\n" for line in lines)


def case_json(case: Case) -> str:
    """A case as one JSON line."""
    body = case.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(body, ensure_ascii=False) + "\n"


def append_case(path: Path, case: Case) -> None:
    """Add a case at the end of a file of cases, YAML or JSON lines; makes the file if need be.

    What is in the file stays as it is, byte for byte. Raises `CaseErrors` where the file has
    faults, `InputError` where the id is taken, the file's layout does not allow an addition, or
    it cannot be written.
    """
    lines = path.suffix == ".jsonl"
    if path.is_dir():
        raise InputError("is a folder", where=str(path), remedy="name a file of cases")
    if not path.exists():
        _write(path, case_json(case) if lines else "cases:\n" + case_yaml(case), new=True)
        return
    known = load_cases([path])
    if case.id in {each.id for each in known.cases}:
        raise InputError(
            f"case id {case.id!r} is taken",
            where=str(path),
            remedy="nothing was changed; rename one, or name another file",
        )
    before = path.read_bytes().decode("utf-8-sig")
    joint = "" if before.endswith("\n") else "\n"
    indent = None if lines else list_indent(before)
    addition = case_json(case) if lines else f"\n{case_yaml(case, indent=indent or 0)}"
    if (not lines and indent is None) or not _only_adds(path, before + joint + addition, known):
        raise InputError(
            "a case cannot be added at the end of this file",
            where=str(path),
            remedy="nothing was changed; its cases must be a block list, the last thing in the "
            "file; or name another file",
        )
    _write(path, joint + addition, new=False)


def _only_adds(path: Path, text: str, known: CaseSet) -> bool:
    """Whether the text holds the cases that were there, unchanged, and one more."""
    try:
        cases = parse_cases(path, text).cases
    except CaseErrors:
        return False
    return cases[:-1] == known.cases


def _write(path: Path, text: str, *, new: bool) -> None:
    """Write at the end of a file. Where that fails halfway the file gets its former length."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb" if new else "ab", buffering=0) as file:
            before = file.tell()
            try:
                body = memoryview(text.encode())
                while body:
                    body = body[file.write(body) :]
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise
    except OSError as error:
        why = error.strerror
        if isinstance(error, FileExistsError | NotADirectoryError) and not path.is_file():
            why = "a folder of its path is a regular file"
        raise InputError(f"cannot be written: {why}", where=str(path)) from None
