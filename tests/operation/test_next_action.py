"""A report says what to do about a run, by what it waits for."""

from __future__ import annotations

from typing import Literal

import pytest

from goldspan.harness.operation.next_action import next_action
from goldspan.harness.steps import Park, Parked

Kind = Literal["approval", "unknown", "breaker", "kill"]


@pytest.mark.parametrize(
    ("kind", "subject", "told"),
    [
        ("approval", "a1", "decide the approval: why (goldspan approvals show a1)"),
        (
            "unknown",
            "k1",
            "why (goldspan approvals unknown k1 --as NAME, and --made --result FILE or --not-made)",
        ),
        (
            "breaker",
            "mail",
            "see why mail does not work, the run goes on by itself when it does: why",
        ),
        ("kill", "agent:desk", "let it go on, or leave it: why (goldspan resume --agent desk)"),
        ("kill", "all", "let it go on, or leave it: why (goldspan resume --all)"),
    ],
)
def test_who_reads_it_knows_the_command(kind: Kind, subject: str, told: str) -> None:
    end = Parked(Park(kind, subject, "why")).ended()
    assert next_action(end.outcome, end.reason, end, durable=True) == told
    alone = next_action(end.outcome, end.reason, end, durable=False)
    over = "look whether it was done before" if kind == "unknown" else "the run is over"
    assert alone.startswith(over)
    assert alone.endswith(": why")


def test_what_ended_is_looked_at() -> None:
    assert next_action("failed", "no model", None, durable=True) == "look at the trace: no model"
    assert next_action("aborted", "a loop", None, durable=False).endswith("stopped: a loop")
