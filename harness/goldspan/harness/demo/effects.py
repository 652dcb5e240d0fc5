"""What the desk has done, by the key of each call: nothing is done twice, and it can be asked.

An effect and its row are one transaction, so there is either both or neither. A file in the outbox
cannot be part of one: it is written before the row, under a name that the rows decide, and so a
call that is made again after a crash writes the same file.
"""

from __future__ import annotations

import functools
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from goldspan.harness.demo.database import opened
from goldspan.harness.tools import ToolContext

OUTBOX = "outbox"
CallT = TypeVar("CallT")
Result: TypeAlias = dict[str, Any]


def once(
    work: Callable[[sqlite3.Connection, ToolContext, CallT], Result],
) -> Callable[[ToolContext, CallT], Result]:
    """A tool of what `work` does with the run's database, in one transaction with its record.

    Effects wait for each other. A call whose key is known changes nothing, and returns what it
    returned before.
    """

    @functools.wraps(work)
    def run(context: ToolContext, call: CallT) -> Result:
        with opened(context.workspace) as db:
            db.execute("BEGIN IMMEDIATE")
            known = _known(db, context.key)
            if known is not None:
                return known
            result = work(db, context, call)
            text = json.dumps(result, ensure_ascii=False)
            row = (context.key or None, work.__name__, text)
            db.execute("INSERT INTO effects VALUES (?, ?, ?)", row)
            return result

    return run


def ask(context: ToolContext, call: Any) -> Result | None:
    """What the call of this key returned, as an object with `result`; None where it was not
    made."""
    with opened(context.workspace) as db:
        known = _known(db, context.key)
    return None if known is None else {"result": known}


def post(db: sqlite3.Connection, workspace: Path, tool: str, kind: str, content: Any) -> str:
    """Put something into the outbox, as a file that is there whole or not at all; returns its
    name, `kind-1` for the first that this tool posts."""
    (before,) = db.execute("SELECT count(*) FROM effects WHERE tool = ?", (tool,)).fetchone()
    name = f"{kind}-{before + 1}"
    whole = workspace / OUTBOX / f"{name}.json"
    partial = whole.with_name(f"{name}.part")
    partial.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    partial.replace(whole)
    return name


def _known(db: sqlite3.Connection, key: str) -> Result | None:
    row = db.execute("SELECT result FROM effects WHERE key = ?", (key,)).fetchone()
    return None if row is None else dict(json.loads(row["result"]))
