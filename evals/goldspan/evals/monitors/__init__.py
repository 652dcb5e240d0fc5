"""Monitors: rules over live traffic, with a stated false-alarm rate."""

from goldspan.evals.monitors.alerts import emit_alerts
from goldspan.evals.monitors.check import check
from goldspan.evals.monitors.findings import CheckResult, Finding, Measured, Unmeasured
from goldspan.evals.monitors.rules import Rules, load_rules, rules_beside

__all__ = [
    "CheckResult",
    "Finding",
    "Measured",
    "Rules",
    "Unmeasured",
    "check",
    "emit_alerts",
    "load_rules",
    "rules_beside",
]
