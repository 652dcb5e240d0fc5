"""DuckDB's errors, said so that a person knows what to do."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import duckdb

from goldspan.tracing.errors import InputError, NotStoredError, StoreError

_HOLDER = re.compile(r"Conflicting lock is held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")
_FULL = ("No space left on device", "File too large", "Disk quota exceeded", "ran out of disk")


class ForeignLockError(StoreError):
    """A process that does not know our lock has the file open."""


def is_foreign_lock(error: Exception) -> bool:
    """True if a process that does not know our lock has the file open."""
    return isinstance(error, ForeignLockError)


def translated(error: duckdb.Error, path: Path) -> StoreError:
    """What happened to the store at `path`, in one line."""
    text = " ".join(str(error).split())
    where = str(path)
    holder = _HOLDER.search(text)
    if holder:
        return ForeignLockError(
            f"is held open by process {holder['pid']} ({holder['program']})",
            where=where,
            remedy="close that program, or wait until it ends, and try again",
        )
    if "Could not set lock" in text:
        return ForeignLockError(
            "is held open by another process",
            where=where,
            remedy="close the program that has the file open (lsof names it), and try again",
        )
    if any(sign in text for sign in _FULL):
        return NotStoredError(
            "there is no room to write it",
            where=where,
            remedy="free disk space or raise the file-size limit; nothing stored before is lost",
        )
    if "Is a directory" in text:
        return StoreError("is a directory", where=where, remedy="name a file, e.g. store.duckdb")
    if "not a valid DuckDB database" in text:
        return StoreError(
            "is not a DuckDB file", where=where, remedy="name another file; this one is untouched"
        )
    if any(sign in text for sign in ("read enough bytes", "orrupt", "checksum")):
        return damaged(path)
    if any(sign in text for sign in ("Permission denied", "Read-only file system")):
        return StoreError("may not be read or written", where=where, remedy="check its mode")
    return StoreError(f"DuckDB: {text}", where=where)


def damaged(path: Path) -> StoreError:
    """The file is shorter than it says, or its blocks do not add up."""
    return StoreError(
        "is damaged or cut off",
        where=str(path),
        remedy="restore it from a copy; it is untouched",
    )


def query_problem(error: duckdb.Error, tables: list[str]) -> InputError:
    """A query's error in one line: the message, the candidates, no stack of carets."""
    text = str(error).split("\nLINE ")[0]
    text = " ".join(text.split())
    kind, _, rest = text.partition(": ")
    message = rest if kind.endswith("Error") else text
    remedy = None
    if "does not exist" in message and kind.startswith("Catalog") and "Table" in message:
        message = message.split("Did you mean")[0].strip()
        remedy = _did_you_mean(message, tables)
    elif "Cannot access" in message or "disabled by configuration" in message:
        remedy = "a query reads the store and nothing else"
    elif "configuration has been locked" in message:
        remedy = "a query cannot change settings"
    return InputError(message.rstrip("!. "), where="SQL", remedy=remedy)


def _did_you_mean(message: str, tables: list[str]) -> str:
    name = re.search(r"name (\S+) does not exist", message)
    close = difflib.get_close_matches(name[1], tables, n=1) if name else []
    if close:
        return f"did you mean {close[0]}?"
    return "the views are " + ", ".join(tables)
