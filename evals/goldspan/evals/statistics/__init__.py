"""Statistics as pure functions: arrays in, frozen dataclasses out."""

from goldspan.evals.statistics.paired import Comparison, compare_cases, detectable, sign_flip

__all__ = ["Comparison", "compare_cases", "detectable", "sign_flip"]
