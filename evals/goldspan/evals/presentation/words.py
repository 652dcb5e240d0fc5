"""The sentences that every form of a result shares."""

from __future__ import annotations

from goldspan.evals.gate import GateResult

HEADLINES = {
    "pass": "PASS",
    "measured": "MEASURED",
    "regression": "REGRESSION",
    "inconclusive": "INCONCLUSIVE",
    "unmeasured": "COULD NOT MEASURE",
}


def percent(share: float | None) -> str:
    """A share as whole per cent, `n/a` where there is none."""
    return "n/a" if share is None else f"{100 * share:.0f} %"


def points(difference: float) -> str:
    """A difference of shares as signed percentage points."""
    return f"{100 * difference:+.1f} points"


def headline(result: GateResult) -> str:
    """The verdict in one line."""
    who = result.candidate.target
    against = f" against {result.baseline.target}" if result.baseline else ""
    return f"{HEADLINES[result.verdict]}: {result.candidate.suite}, {who}{against}"


def evidence(result: GateResult) -> list[str]:
    """What the verdict rests on, a sentence each."""
    candidate, comparison = result.candidate, result.comparison
    runs, cases = len(candidate.runs), len(candidate.by_case())
    said = [f"{percent(candidate.pass_rate)} of runs pass ({runs} runs of {cases} cases)."]
    if result.baseline is not None and comparison is not None:
        level = percent(1 - comparison.alpha)
        # Pass rates differ by at most 100 points, whatever the t distribution says of a few cases.
        low, high = max(comparison.low, -1.0), min(comparison.high, 1.0)
        said.append(
            f"Effect {points(comparison.effect)} "
            f"({level} interval {points(low)} to {points(high)}) "
            f"over {comparison.cases} cases; margin {points(-comparison.margin)}, "
            f"p = {comparison.p_value:.3g}."
        )
        if comparison.mde > 1:
            said.append("These cases are too few to find any loss 4 times in 5.")
        elif comparison.mde > 0:
            said.append(f"A true loss of {100 * comparison.mde:.0f} points is found 4 times in 5.")
        if comparison.verdict == "inconclusive":
            more = comparison.cases_needed
            said.append(
                f"Some {more} cases like these would settle it."
                if more
                else "No number of cases like these would settle it: choose another margin."
            )
    missing = candidate.unmeasured
    if missing:
        said.append(
            f"{len(missing)} of {runs} runs could not be measured; the first: "
            f"{missing[0].case_id} #{missing[0].repeat}: {missing[0].error}"
        )
    if result.left_out:
        said.append(f"Left out: {'; '.join(result.left_out)}.")
    return said


def means(result: GateResult) -> list[str]:
    """Changes of tool calls, cost and time per run, where both sides know them."""
    named = {"tool_calls": "tool calls", "cost_usd": "USD", "duration_ms": "ms of model time"}
    told = []
    for key, (before, after) in result.means.items():
        if after is None:
            continue
        was = f" (was {before:.4g})" if before is not None else ""
        told.append(f"{after:.4g} {named[key]} a run{was}")
    return told
