"""A result for machines: JSON with a versioned schema, and JUnit XML."""

from __future__ import annotations

import json
import re

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from goldspan.evals.gate import GateResult
from goldspan.evals.presentation.words import headline
from goldspan.evals.results import CaseRun

SCHEMA = "goldspan.eval/1"
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_json(result: GateResult) -> str:
    """All of a result, runs included."""
    body = {
        "schema": SCHEMA,
        "exit_code": result.exit_code,
        **result.summary(),
        "experiment": result.candidate.to_json(),
    }
    return json.dumps(body, ensure_ascii=False, indent=1, default=str) + "\n"


def render_junit(result: GateResult) -> str:
    """One test case a golden case: a failure where a run failed, an error where none was measured.

    The verdict of the gate is a test case of its own, so that a job shows it.
    """
    suite = TestSuite(result.candidate.suite)
    gate = TestCase("gate", result.candidate.suite)
    if result.exit_code:
        kind = Error if result.exit_code == 4 else Failure
        gate.result = [kind(headline(result), result.verdict)]
    suite.add_testcase(gate)
    for case_id, runs in result.candidate.by_case().items():
        case = TestCase(case_id, result.candidate.suite, _seconds(runs))
        measured = [run for run in runs if run.passed is not None]
        failed = [run for run in measured if not run.passed]
        if not measured:
            case.result = [Error(_clean(runs[0].error or "not measured"), "unmeasured")]
        elif failed:
            count = f"{len(failed)} of {len(measured)} repeats failed"
            said = [
                f"#{r.repeat} {s.name}: {s.reason}" for r in failed for s in r.scores if _bad(s)
            ]
            failure = Failure(count, "failed")
            failure.text = _clean("\n".join(said))
            case.result = [failure]
        suite.add_testcase(case)
    xml = JUnitXml("goldspan")
    xml.add_testsuite(suite)
    xml.update_statistics()  # type: ignore[no-untyped-call]
    text: bytes = xml.tostring()  # type: ignore[no-untyped-call]
    return text.decode()


def _bad(score: object) -> bool:
    return getattr(score, "passed", None) is False


def _seconds(runs: list[CaseRun]) -> float:
    return sum(run.duration_ms or 0.0 for run in runs) / 1000


def _clean(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)
