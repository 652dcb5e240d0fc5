"""Lint of golden cases as a measure: what a do-nothing agent passes, what never varied."""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldspan.evals.results import Score
from goldspan.evals.scorers import BUILT_IN, RunView, Scorer
from goldspan.golden import Case, CaseSet
from goldspan.golden.findings import Finding, about
from goldspan.golden.lint import MIN_SHARE, lint_cases
from goldspan.golden.queries import sql
from goldspan.harness.agents.version import AgentVersion
from goldspan.tracing.store import Store

MIN_RUNS = 5
FIELDS = ("outcome", "tools", "arguments", "answer", "end_state", "effects", "bounds")


@dataclass(frozen=True)
class Idle:
    """A run that does nothing, as the scorers saw it: which passed it, failed it or never said.

    `undecided` are scorers that ask a model, or could not be asked.
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    undecided: tuple[str, ...]


def lint(
    case_set: CaseSet,
    *,
    scorers: Sequence[Scorer] | None = None,
    version: AgentVersion | None = None,
    tools: Collection[str] | None = None,
    store: Store | None = None,
    min_share: float = MIN_SHARE,
    min_runs: int = MIN_RUNS,
) -> list[Finding]:
    """All that is doubtful about a set of cases, errors first.

    `scorers` are those that decide (the built-in ones, if None). `version` gives the tools and the
    environment, whose end state is that of a run which does nothing; without it the end state is
    empty. `store` has the experiments that are looked through.
    """
    if version is not None:
        tools = [entry.name for entry in version.entries]
    findings = [*idle_findings(case_set, scorers=scorers, version=version)]
    findings += lint_cases(case_set, tools=tools, min_share=min_share)
    if store is not None:
        findings += history_findings(case_set, store, min_runs=min_runs)
    levels = ("error", "warning", "note")
    return sorted(findings, key=lambda finding: levels.index(finding.level))


def idle_findings(
    case_set: CaseSet,
    *,
    scorers: Sequence[Scorer] | None = None,
    version: AgentVersion | None = None,
) -> list[Finding]:
    """A finding for each case that an agent passes by doing nothing at all.

    Where a scorer that asks a model has a say as well, it is a warning and not an error.
    """
    chosen = built_in() if scorers is None else list(scorers)
    findings = []
    for placed in case_set.placed:
        idle = idle_run(placed.case, chosen, _end_state(placed.case, version))
        if idle.failed:
            continue
        rest = f"; {', '.join(idle.undecided)} may still fail it" if idle.undecided else ""
        findings.append(
            about(
                placed,
                "do-nothing",
                "warning" if idle.undecided else "error",
                f"a do-nothing agent passes it{rest}",
                "expect what only a run that did the task leaves: a tool, a text, an end state",
                ("expect",),
            )
        )
    return findings


def idle_run(case: Case, scorers: Sequence[Scorer], end_state: dict[str, Any]) -> Idle:
    """What the scorers say of a run that completes with no step and an empty answer."""
    run = RunView(case, "completed", "", (), end_state, model_calls=0, cost_usd=0.0, duration_ms=0)
    passed: list[str] = []
    failed: list[str] = []
    undecided: list[str] = []
    for scorer in scorers:
        decides, said = _score(scorer, run)
        if not decides:
            undecided.append(scorer.name)
        elif said is not None and said.passed is not None and not said.unmeasured:
            (passed if said.passed else failed).append(scorer.name)
    if case.expect.effects and "effects" not in failed:
        failed.append("effects")  # no call, no effect: true without any scorer in the suite
    return Idle(tuple(passed), tuple(failed), tuple(undecided))


def _score(scorer: Scorer, run: RunView) -> tuple[bool, Score | None]:
    """Whether a scorer can tell without a model, and its word; one that fails cannot."""
    try:
        said = scorer.score(run)
    except Exception:  # noqa: BLE001  a scorer of the user's that fails decides nothing
        return False, None
    if inspect.isawaitable(said):
        if inspect.iscoroutine(said):
            said.close()
        return False, None
    return True, said


def built_in() -> list[Scorer]:
    """The built-in scorers that need no options: they look at what a case expects."""
    made: list[Scorer] = []
    for make in BUILT_IN.values():
        try:
            made.append(make())
        except TypeError:  # it has options that it needs, so no case alone speaks to it
            continue
    return made


def _end_state(case: Case, version: AgentVersion | None) -> dict[str, Any]:
    """What the environment says when it was set up and nothing was done."""
    if version is None:
        return {}
    environment = version.environment()
    with tempfile.TemporaryDirectory(prefix="goldspan-lint-") as folder:
        environment.prepare(Path(folder), case.setup)
        return environment.end_state(Path(folder))


def history_findings(case_set: CaseSet, store: Store, *, min_runs: int = MIN_RUNS) -> list[Finding]:
    """Expectations that no recorded run met, or that none ever failed, by scorer.

    Only runs of the case as it is now count, and only where there are `min_runs` of them.
    """
    placed = {(each.case.id, each.case.digest): each for each in case_set.placed}
    findings = []
    for row in store.rows(sql("case_verdicts")):
        each = placed.get((row["case_id"], row["case_digest"]))
        runs = row["passed"] + row["failed"]
        if each is None or runs < min_runs:
            continue
        scorer = row["scorer"]
        at = ("expect", scorer) if scorer in FIELDS else ("expect",)
        if row["passed"] == 0:
            said = f"{scorer}: none of {runs} runs met it"
            remedy = (
                "look whether it can be met; then correct the expectation, or keep it as a goal"
            )
            findings.append(about(each, "never-met", "warning", said, remedy, at))
        elif row["failed"] == 0:
            said = f"{scorer}: none of {runs} runs failed it"
            remedy = "a guard against regressions, or an expectation that tells nothing"
            findings.append(about(each, "never-failed", "note", said, remedy, at))
    return findings
