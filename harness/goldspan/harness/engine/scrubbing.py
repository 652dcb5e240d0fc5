"""Redaction of what the engine itself recorded of runs that have ended.

The engine reads none of it again: a run that has ended does not go on. It has no call for this, so
its tables are written here; a test says when they change.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dbos._sys_db import SystemDatabase

from goldspan.tracing.redaction import Policy

# Table: the columns of texts, and what they are.
TEXTS = {
    "workflow_status": {"inputs": "input", "output": "output", "error": "step"},
    "workflow_input": {"inputs": "input"},
    "workflow_output": {"output": "output", "error": "step"},
    "operation_outputs": {"output": "step", "error": "step"},
}
FIGURES = ("run_id", "trace_id", "outcome", "tokens", "tool_calls", "cost_usd")


def scrub_runs(database: SystemDatabase, run_ids: Sequence[str], policy: Policy) -> list[str]:
    """Redact inputs, steps and results of those of these runs that have ended for the engine too;
    returns their ids. Without `content` only figures stay."""
    with database.engine.begin() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA secure_delete = ON")
        status = database.tables.workflow_status
        over = status.select().where(
            status.c.workflow_uuid.in_(list(run_ids)), status.c.status.in_(("SUCCESS", "ERROR"))
        )
        ended = [row["workflow_uuid"] for row in connection.execute(over).mappings()]
        for name, texts in TEXTS.items():
            table = getattr(database.tables, name)
            mine = table.select().where(table.c.workflow_uuid.in_(ended))
            for row in connection.execute(mine).mappings().all():
                clean = {
                    column: _clean(row[column], kind, policy)
                    for column, kind in texts.items()
                    if row[column] is not None
                }
                changed = {key: text for key, text in clean.items() if text != row[key]}
                if changed:
                    same = [key == row[key.name] for key in table.primary_key]
                    connection.execute(table.update().where(*same).values(changed))
    return ended


def _clean(text: str, kind: str, policy: Policy) -> str:
    if policy.content != "on":
        text = json.dumps(_outline(json.loads(text), kind), separators=(",", ":"))
    return policy.scrub_text(text)


def _outline(value: Any, kind: str) -> Any:
    """What stays of a value whose content is not kept."""
    if kind == "input" and isinstance(value, dict) and value.get("args"):
        spec, *others = value["args"]
        task = {"id": spec.get("task", {}).get("id")}
        return {**value, "args": [{**spec, "task": task}, *others]}
    if kind == "output" and isinstance(value, dict):
        return {key: value[key] for key in FIGURES if key in value}
    return None
