"""Golden cases: the format, its faults, its identity, and suites that come with Goldspan."""

from importlib.resources import files
from pathlib import Path

from goldspan.golden.case import Case, Expectation
from goldspan.golden.faults import CaseErrors, Fault
from goldspan.golden.loading import CaseSet, check_tools, load_cases, unknown_tools


def bundled_suite(name: str) -> Path:
    """The folder of a suite that comes with Goldspan. Raises `KeyError` where there is none."""
    path = Path(str(files("goldspan.golden") / "suites" / name))
    if not (path / "suite.yaml").is_file():
        raise KeyError(name)
    return path


__all__ = [
    "Case",
    "CaseErrors",
    "CaseSet",
    "Expectation",
    "Fault",
    "bundled_suite",
    "check_tools",
    "load_cases",
    "unknown_tools",
]
