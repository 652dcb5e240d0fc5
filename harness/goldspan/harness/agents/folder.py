"""An agent's folder: its versions, which of them is current, and where to find one by its name."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from pathlib import Path

from goldspan.harness.agents.promotion_log import (
    CURRENT,
    LOG,
    Action,
    Promotion,
    now,
    previous_version,
    read_log,
    record_promotion,
)
from goldspan.harness.agents.version import AgentVersion
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.files import read_text

AGENTS = Path("agents")


@dataclass(frozen=True)
class AgentFolder:
    """`agents/NAME`, with a folder for each version, `current` and `promotions.jsonl`."""

    path: Path

    @classmethod
    def find(cls, named: str | Path | None = None, *, beside: Path | None = None) -> AgentFolder:
        """An agent by its folder or its name below `agents/`; without one, the only agent there is.

        `beside` stands in where nothing is named: a suite's own agent. Raises `ConfigError`.
        """
        if named is not None:
            for path in (Path(named), AGENTS / named):
                if _is_agent(path):
                    return cls(path)
            raise ConfigError(
                "there is no agent of this name",
                where=str(named),
                remedy=f"name a folder with versions in it, or one of {_known()}",
            )
        if beside is not None:
            path = beside.parent if (beside / "config.yaml").is_file() else beside
            if _is_agent(path):
                return cls(path)
        here = _agents()
        if len(here) == 1:
            return cls(here[0])
        raise ConfigError(
            "which agent is meant?" if here else "there is no agent here",
            where=str(AGENTS),
            remedy=f"say it with --agent: {_known()}"
            if here
            else "make one with goldspan agent new NAME, or name a folder with --agent",
        )

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.path.resolve().name

    @property
    def current(self) -> str | None:
        """The version in use, None where none was chosen."""
        file = self.path / CURRENT
        return read_text(file, ConfigError).strip() if file.is_file() else None

    def versions(self) -> list[str]:
        """The versions, in the order of their numbers."""
        found = [p.name for p in self.path.iterdir() if (p / "config.yaml").is_file()]
        return sorted(found, key=_numbers)

    def version(self, named: str) -> AgentVersion:
        """A version of this agent (`current` too), or a version's folder anywhere.

        Raises `ConfigError` where there is none, or it is not whole.
        """
        name = (self.current or "") if named == CURRENT else named
        for path in (self.path / name, Path(named)):
            if name and (path / "config.yaml").is_file():
                return AgentVersion.load(path)
        raise ConfigError(
            f"agent {self.name} has no version {named!r}",
            where=str(self.path),
            remedy=f"there are {', '.join(self.versions())}",
        )

    def own_version(self, named: str) -> AgentVersion:
        """A version of this agent. Raises `ConfigError` for one that lies elsewhere."""
        version = self.version(named)
        if version.path.resolve().parent != self.path.resolve():
            raise ConfigError(
                f"is no version of {self.name}",
                where=str(version.path),
                remedy=f"copy it into {self.path}, or name another agent with --agent",
            )
        return version

    def log(self) -> list[Promotion]:
        """The promotions so far."""
        return read_log(self.path)

    def unlogged(self) -> str | None:
        """What is wrong where `current` is not what the log ends with; else None."""
        log = self.log()
        if not log or log[-1].to_version == self.current:
            return None
        return (
            f"{self.path / CURRENT} names {self.current}, but {LOG} ends with "
            f"{log[-1].to_version}: it was changed by hand"
        )

    def decided(
        self, action: Action, to: AgentVersion, *, by: str, because: str | None = None
    ) -> Promotion:
        """A change from `current` to a version, not yet made. Raises `ConfigError` where it is
        current already."""
        current = self.current
        if current == to.version:
            raise ConfigError(f"{to.version} is current already", where=str(self.path / CURRENT))
        digest = None
        if current is not None:
            # A broken version has no digest, and must not stand in the way of another one.
            with contextlib.suppress(ConfigError):
                digest = AgentVersion.load(self.path / current).digest
        return Promotion(
            time=now(),
            action=action,
            agent=self.name,
            from_version=current,
            from_digest=digest,
            to_version=to.version,
            to_digest=to.digest,
            by=by,
            because=because,
        )

    def roll_back(self, to: str | None, *, by: str, because: str) -> Promotion:
        """Set `current` to an earlier version, by the log the one before, and log it.

        Raises `ConfigError` where there is none.
        """
        current = self.current
        named = to or (previous_version(self.log(), current) if current else None)
        if named is None:
            raise ConfigError(
                f"{LOG} knows no version before {current}",
                where=str(self.path),
                remedy=f"say which one with --to: {', '.join(self.versions())}",
            )
        target = self.own_version(named)
        promotion = self.decided("rollback", target, by=by, because=because)
        record_promotion(self.path, promotion)
        return promotion

    def changed_since_used(self, version: AgentVersion, *, before: Promotion) -> bool:
        """Whether a version differs from what the log, before this line, last says it was."""
        for entry in reversed([entry for entry in self.log() if entry != before]):
            for name, digest in (
                (entry.to_version, entry.to_digest),
                (entry.from_version, entry.from_digest),
            ):
                if name == version.version and digest is not None:
                    return digest != version.digest
        return False


def find_version(
    named: str, agent: str | Path | None = None, *, beside: Path | None = None
) -> AgentVersion:
    """A version by its folder, else of the agent that `AgentFolder.find` finds.

    Raises `ConfigError` where there is none, or it is not whole.
    """
    if (Path(named) / "config.yaml").is_file():
        return AgentVersion.load(Path(named))
    return AgentFolder.find(agent, beside=beside).version(named)


def _is_agent(path: Path) -> bool:
    if not path.is_dir():
        return False
    return any((inner / "config.yaml").is_file() for inner in path.iterdir())


def _agents() -> list[Path]:
    return sorted(p for p in AGENTS.iterdir() if _is_agent(p)) if AGENTS.is_dir() else []


def _known() -> str:
    return ", ".join(p.name for p in _agents()) or "none here"


def _numbers(name: str) -> tuple[list[int], str]:
    return [int(number) for number in re.findall(r"\d+", name)], name
