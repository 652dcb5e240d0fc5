"""A queue of 20 tasks for the support desk, with recorded answers to all that they ask.

Ten are the demo's own queue. What needs a person waits there for ever: nothing was recorded of what
comes after. So ten more are golden cases with recorded answers, those that change most; what a case
says of its approver, a person says here through the ledger.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from goldspan.golden import bundled, load_cases
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals.deciding import decide
from goldspan.harness.approvals.proposal import DecisionKind
from goldspan.harness.approvals.register import Approvals
from goldspan.harness.ledger import Ledger
from goldspan.harness.operation.durable import specs_of
from goldspan.harness.operation.tasks import Task, load_tasks
from goldspan.harness.run_spec import RunSpec, queued_run_id

DEMO = Path(str(files("goldspan.harness") / "demo"))
PRICES = DEMO / "prices.yaml"
AGENT = DEMO / "agents" / "support-desk" / "v1.0.0"
BATCH = "morning"
REVIEWER = "Dana Reyes"
QUEUE_SEED, CASES_SEED = 2, 0
RECORDED = {QUEUE_SEED: "queue.jsonl.gz", CASES_SEED: "v1.0.0-seed-0.jsonl.gz"}
# Case, and which of its recorded repeats.
CASES = (
    ("double-charge-approved", 0),
    ("double-charge-approved", 1),
    ("double-charge-denied", 0),
    ("duplicate-already-refunded", 0),
    ("incident-auth", 0),
    ("incident-missing-hour", 0),
    ("refund-duplicate-approved", 1),
    ("refund-edited", 0),
    ("refund-above-limit", 1),
    ("refund-too-late", 0),
)


class DeskQueue:
    """The 20 tasks, and who decides what in them."""

    def __init__(self) -> None:
        self.version = AgentVersion.load(AGENT)
        found = load_cases(sorted(bundled("support_desk").glob("cases/*.yaml"))).cases
        self._cases = {case.id: case for case in found if case.id in dict(CASES)}
        self.specs = list(self._specs())
        self._task = {spec.run_id: spec.task["id"] for spec in self.specs}

    def write_cassette(self, path: Path) -> None:
        """The recorded answers to these tasks, in one file."""
        wanted = {(spec.task["id"], spec.repeat, spec.seed) for spec in self.specs}
        with path.open("w", encoding="utf-8") as file:
            for name in RECORDED.values():
                with gzip.open(DEMO / "cassettes" / name, "rt", encoding="utf-8") as lines:
                    for line in lines:
                        row = json.loads(line)
                        if (row["case"], row["repeat"], row["seed"]) in wanted:
                            file.write(line)

    def decides(self, run_id: str) -> DecisionKind | None:
        """What a person says to what a run asks; None where nobody comes."""
        case = self._cases.get(self._task[run_id])
        return None if case is None or case.approver == "none" else case.approver

    def decide_waiting(self, ledger: Ledger) -> list[str]:
        """Decide, as a person, what waits for one; returns the approvals' ids."""
        approvals = Approvals(ledger)
        decided = []
        for waiting in approvals.waiting():
            kind = self.decides(waiting.run_id)
            if kind is None:
                continue
            edit = self._cases[self._task[waiting.run_id]].approver_edit
            decide(
                approvals,
                waiting,
                kind,
                REVIEWER,
                approvals.issue(waiting, REVIEWER),
                reason="the reviewer said no" if kind == "deny" else "",
                edit=edit if kind == "edit" else None,
            )
            decided.append(waiting.id)
        return decided

    def _specs(self) -> Iterator[RunSpec]:
        tasks = load_tasks(DEMO / "queue.yaml")
        yield from specs_of(self.version, tasks, batch=BATCH, seed=QUEUE_SEED)
        for name, repeat in CASES:
            case = self._cases[name]
            # `approver` is left out: a person decides, not the run itself.
            task = Task(id=case.id, input=case.input, setup=case.setup, now=case.now)
            (spec,) = specs_of(self.version, [task], batch=BATCH, seed=CASES_SEED)
            run_id = queued_run_id(BATCH, f"{case.id} {repeat}")
            yield replace(spec, run_id=run_id, repeat=repeat)
