"""The agents that come with Goldspan, as package data."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from goldspan.tracing.errors import ConfigError


def bundled_agent(name: str) -> Path:
    """The folder of a bundled agent. Raises `ConfigError` where there is none of that name."""
    root = Path(str(files("goldspan.harness") / "demo" / "agents"))
    path = root / name
    if not (path / "current").is_file():
        have = ", ".join(sorted(p.name for p in root.iterdir() if (p / "current").is_file()))
        raise ConfigError(f"there is no agent {name!r}", remedy=f"bundled are: {have}")
    return path
