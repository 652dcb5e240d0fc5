"""Golden cases: the format, its faults, its identity, and suites that come with Goldspan."""

from importlib.resources import files
from pathlib import Path

from goldspan.golden.case import Case, Expectation
from goldspan.golden.faults import CaseErrors, Fault
from goldspan.golden.loading import CaseSet, check_tools, load_cases, read_cases, unknown_tools
from goldspan.golden.schema import case_schema
from goldspan.tracing.errors import ConfigError


def bundled(name: str) -> Path:
    """The folder of a suite that comes with Goldspan. Raises `ConfigError` where there is none."""
    suites = Path(str(files("goldspan.golden") / "suites"))
    path = suites / name
    if not (path / "suite.yaml").is_file():
        have = ", ".join(sorted(p.parent.name for p in suites.glob("*/suite.yaml")))
        raise ConfigError(f"there is no suite {name!r}", remedy=f"bundled are: {have}")
    return path


bundled_suite = bundled

__all__ = [
    "Case",
    "CaseErrors",
    "CaseSet",
    "Expectation",
    "Fault",
    "bundled",
    "bundled_suite",
    "case_schema",
    "check_tools",
    "load_cases",
    "read_cases",
    "unknown_tools",
]
