"""placeholder"""

from __future__ import annotations

from collections.abc import Sequence

from goldspan.tracing.batch import LogRecord
from goldspan.tracing.dialects.genai import detail_facts
from goldspan.tracing.facts import CallFacts


def details(logs: Sequence[LogRecord]) -> dict[tuple[str, str], CallFacts]:
    found: dict[tuple[str, str], CallFacts] = {}
    for log in sorted(logs, key=lambda x: x.time_ns):
        facts = detail_facts(log)
        if facts is not None and log.trace_id and log.span_id:
            found[log.trace_id, log.span_id] = facts
    return found
