"""Promotes a trace to a golden case, with expectations proposed from what it did, for review."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from goldspan.golden.case import Case
from goldspan.golden.faults import CaseErrors
from goldspan.golden.loading import load_cases
from goldspan.tracing.errors import InputError
from goldspan.tracing.store import Store

TRACE = """-- What was asked in this trace, by which agent, and how did it end?
SELECT trace_id, run_id, agent_name, agent_version, input, output, outcome, status, case_id
FROM traces WHERE starts_with(trace_id, $trace) ORDER BY started_at DESC LIMIT 2"""
CALLS = """-- Which tools did this trace call, in order?
SELECT tool_name, arguments, error_type FROM tool_calls
WHERE trace_id = $trace ORDER BY started_at, span_id"""
NEWEST = """-- Which traces came last?
SELECT trace_id FROM traces ORDER BY started_at DESC LIMIT 3"""


def case_from_trace(store: Store, trace_id: str) -> Case:
    """The case that a trace makes. `trace_id` may be a prefix that fits one trace only.

    Its expectations are what the trace did: outcome, the tools that worked in their order, and
    their arguments; `review` is set, for a person to keep what matters. Raises `InputError` where
    there is no such trace, or where it has no input that could be asked again.
    """
    found = store.rows(TRACE, {"trace": trace_id.lower()})
    if not found:
        newest = ", ".join(row["trace_id"] for row in store.rows(NEWEST)) or "none"
        raise InputError(f"no trace {trace_id!r}", remedy=f"the newest are: {newest}")
    if len(found) > 1:
        raise InputError(f"{trace_id!r} begins more than one trace", remedy="give more of it")
    trace = found[0]
    if not trace["input"]:
        raise InputError(
            f"trace {trace['trace_id']} has no input to ask again",
            remedy="record message content, or promote another trace",
        )
    calls = store.rows(CALLS, {"trace": trace["trace_id"]})
    worked = [call for call in calls if call["error_type"] is None]
    expect: dict[str, Any] = {"outcome": trace["outcome"] or "completed"}
    if worked:
        expect["tools"] = {"order": [call["tool_name"] for call in worked]}
        expect["arguments"] = _arguments(worked)
    return Case.model_validate(
        {
            "id": _case_id(trace["case_id"] or trace["input"], trace["trace_id"]),
            "description": "proposed from a trace; say here what it is about",
            "input": trace["input"],
            "expect": expect,
            "provenance": {
                "source": "trace",
                "trace_id": trace["trace_id"],
                "run_id": trace["run_id"],
                "agent": " ".join(filter(None, (trace["agent_name"], trace["agent_version"]))),
                "answer": trace["output"],
                "promoted_at": datetime.now(UTC).isoformat(timespec="seconds"),
            },
            "review": True,
        }
    )


def append_case(path: Path, case: Case) -> None:
    """Add a case to a YAML file, which is made if there is none; nothing in it is changed.

    Raises `CaseErrors` where the file is not one of cases, `InputError` where the id is taken.
    """
    text = "cases:\n"
    if path.exists():
        if case.id in {known.id for known in load_cases([path]).cases}:
            raise InputError(f"case id {case.id!r} is taken", where=str(path))
        text = path.read_text(encoding="utf-8").rstrip("\n") + "\n\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = path.with_name(f".{path.name}.new.yaml")
    try:
        whole.write_text(text + case_yaml(case), encoding="utf-8")
        load_cases([whole])
        whole.replace(path)
    except CaseErrors as error:
        raise InputError(
            f"a case cannot be added to this file: {error.faults[0].message}",
            where=str(path),
            remedy="its list under cases: must be indented by two spaces; or name a new file",
        ) from None
    finally:
        whole.unlink(missing_ok=True)


def case_yaml(case: Case) -> str:
    """A case as an item of the list under `cases:`."""
    body = case.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump([body], sort_keys=False, allow_unicode=True, width=100)
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())


def _arguments(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    proposed = []
    for call in calls:
        value = call["arguments"]
        where = json.loads(value) if isinstance(value, str) else value
        if isinstance(where, dict) and where:
            proposed.append({"tool": call["tool_name"], "where": where})
    return proposed


def _case_id(text: str, trace_id: str) -> str:
    words = re.findall(r"[a-z0-9]+", text.lower())[:5]
    return "-".join([*words, trace_id[:8]])[:80]
