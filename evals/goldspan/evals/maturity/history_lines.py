"""The lines that the store answers: what was measured, what happened, who looked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps

from scipy.special import betaincinv

from goldspan.evals.maturity.model import Evidence, Finding, History, Line

CASES, REPEATS = 20, 3
SHORT_WATCH, LONG_WATCH = 20, 200
BAD_SHARE = 0.10  # the upper end of the 95 % interval (Clopper and Pearson 1934) stays below it
OLDEST_APPROVAL = timedelta(days=3)
VERDICTS = ("pass", "regression", "inconclusive")
NO_STORE = Finding(False, "there is no store", "name it with --store, or record a run")


def of_history(
    check: Callable[[Evidence, History], Finding],
) -> Callable[[Evidence], Finding]:
    """A line that does not hold without a store."""

    @wraps(check)
    def checked(seen: Evidence) -> Finding:
        return NO_STORE if seen.history is None else check(seen, seen.history)

    return checked


@of_history
def _traced(seen: Evidence, history: History) -> Finding:
    runs, experiments = history.runs["runs"], len(history.experiments)
    told = f"{runs} real runs, {experiments} experiments of this version in the store"
    trace = history.runs["newest_trace"]
    return Finding(runs + experiments > 0, told, "run it once with --store", trace)


@of_history
def _evaluated(seen: Evidence, history: History) -> Finding:
    if not history.experiments:
        return Finding(False, "never evaluated", "goldspan eval SUITE --agent VERSION")
    newest = history.experiments[0]
    told = f"{newest['experiment_id']}: {newest['cases']} cases of {newest['suite']}"
    return Finding(True, told, trace_id=newest["trace_id"])


@of_history
def _cases(seen: Evidence, history: History) -> Finding:
    most = max((row["cases"] for row in history.experiments), default=0)
    return Finding(most >= CASES, f"{most} cases", f"a suite of at least {CASES} golden cases")


@of_history
def _replayable(seen: Evidence, history: History) -> Finding:
    trace = history.runs["newest_trace"]
    if trace is None:
        return Finding(False, "no real run yet", "record one with content captured")
    fault = history.replay_fault
    return Finding(fault is None, fault or "the newest run can be replayed", fault or "", trace)


def _runs(least: int) -> Callable[[Evidence], Finding]:
    @of_history
    def check(seen: Evidence, history: History) -> Finding:
        runs = history.runs["runs"]
        missing = f"let it run under watch until there are {least}"
        return Finding(runs >= least, f"{runs} real runs", missing, history.runs["newest_trace"])

    return check


@of_history
def _repeats(seen: Evidence, history: History) -> Finding:
    best = max((row["repeats"] for row in history.experiments), default=0)
    missing = f"run every case at least {REPEATS} times: once says little of reliability"
    return Finding(best >= REPEATS, f"each case ran {best} times", missing)


@of_history
def _verdict(seen: Evidence, history: History) -> Finding:
    judged = [
        r for r in history.experiments if r["verdict"] in ("pass", "regression", "inconclusive")
    ]
    if not judged:
        return Finding(False, "no gate compared it with a baseline", "goldspan eval --baseline ...")
    newest = judged[0]
    told = f"{newest['experiment_id']}: {newest['verdict']}"
    missing = "the newest verdict must be a pass"
    return Finding(newest["verdict"] == "pass", told, missing, newest["trace_id"])


@of_history
def _endings(seen: Evidence, history: History) -> Finding:
    ended, bad = history.runs["runs"] - history.runs["running"], history.runs["bad_runs"]
    if ended < 1:
        return Finding(False, "no run has ended", "let it run under watch")
    high = 1.0 if bad == ended else float(betaincinv(bad + 1, ended - bad, 0.975))
    told = f"{bad} of {ended} failed, were aborted or killed: at most {high:.1%} by these runs"
    missing = f"at most {BAD_SHARE:.0%}, with the interval's upper end"
    return Finding(high < BAD_SHARE, told, missing, history.runs["newest_bad_trace"])


@of_history
def _steady(seen: Evidence, history: History) -> Finding:
    models = list(history.runs["models"] if history.runs["models"] is not None else ())
    told = f"answered by {', '.join(models) or 'nobody yet'}"
    return Finding(len(models) == 1, told, "evaluate anew on the model that answers now")


@of_history
def _priced(seen: Evidence, history: History) -> Finding:
    unpriced = int(history.runs["unpriced_calls"])
    told = f"{unpriced} model calls without a price"
    return Finding(unpriced == 0, told, "add prices to prices.yaml; goldspan reprice")


@of_history
def _people(seen: Evidence, history: History) -> Finding:
    if not seen.asks:
        return Finding(True, "no tool waits for a person")
    made = history.approvals
    told = f"{made['decided']} decided by {made['reviewers']} people"
    return Finding(made["decided"] > 0, told, "decide one: a road that nobody walked is not known")


@of_history
def _answered(seen: Evidence, history: History) -> Finding:
    made = history.approvals
    if made["oldest"] is None:
        return Finding(True, "nothing waits")
    told = f"{made['pending']} wait, the oldest since {made['oldest']:%Y-%m-%d}"
    old = seen.now - made["oldest"] > OLDEST_APPROVAL
    return Finding(not old, told, "decide what waits, or see that people can", made["oldest_trace"])


def _watched(seen: Evidence) -> Finding:
    if seen.rules_file is None:
        return Finding(
            False, "no monitors.yaml beside the store", "write one, backtested on its history"
        )
    return Finding(True, seen.rules_file)


HISTORY_LINES = (
    Line("traced", "Internal", "Is a run of this version in the store?", _traced),
    Line("evaluated", "Internal", "Was this version put to golden cases?", _evaluated),
    Line("cases", "Beta", f"Are there at least {CASES} golden cases?", _cases),
    Line("replayable", "Beta", "Can its newest run be replayed?", _replayable),
    Line("watch-20", "Beta", f"Did it make {SHORT_WATCH} real runs?", _runs(SHORT_WATCH)),
    Line("repeats", "Production", f"Did each case run {REPEATS} times?", _repeats),
    Line("verdict", "Production", "Is the gate's newest verdict a pass?", _verdict),
    Line(
        "watch-200",
        "Production",
        f"Did it make {LONG_WATCH} real runs?",
        _runs(LONG_WATCH),
    ),
    Line("endings", "Production", "Do fewer than 10 % of its runs end badly?", _endings),
    Line("steady", "Production", "Did one model answer all of its runs?", _steady),
    Line("priced", "Production", "Is the cost of every call known?", _priced),
    Line("people", "Production", "Did people decide on calls that need approval?", _people),
    Line("answered", "Production", "Does no approval wait longer than three days?", _answered),
    Line("watched", "Production", "Do monitors watch its traffic by stated rules?", _watched),
)
