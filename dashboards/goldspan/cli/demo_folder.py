"""The demo's work folder: copies of the packaged agent, suite, queue and recorded answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from goldspan.golden import bundled
from goldspan.harness.agents.bundled import bundled_agent
from goldspan.tracing.errors import ConfigError, InputError

AGENT = "support-desk"
MARKER = ".goldspan-demo"


@dataclass(frozen=True)
class DemoFolder:
    """Where the demo works. A second run finds it again and keeps what a user changed in it."""

    path: Path
    reused: bool = False
    changed: tuple[str, ...] = ()

    @classmethod
    def prepare(cls, path: Path, *, fresh: bool = False) -> DemoFolder:
        """Make the folder, or take up the one that is there.

        `fresh` removes an earlier demo's folder first. Raises `ConfigError` where the folder has
        other things in it, `InputError` where it cannot be written.
        """
        ours = (path / MARKER).is_file()
        if path.exists() and not ours and (not path.is_dir() or any(path.iterdir())):
            raise ConfigError(
                "is there already and is no demo's folder",
                where=str(path),
                remedy="choose another one with --dir",
            )
        try:
            if fresh and ours:
                shutil.rmtree(path)
            reused = ours and not fresh
            path.mkdir(parents=True, exist_ok=True)
            (path / MARKER).touch()
            changed = [str(copy.relative_to(path)) for copy in _copied(path)]
        except OSError as error:
            raise InputError(f"cannot be written: {error.strerror}", where=str(path)) from None
        return cls(path, reused, tuple(changed))

    @property
    def store(self) -> Path:
        """The store with everything that the demo did."""
        return self.path / "goldspan.duckdb"

    @property
    def suite(self) -> Path:
        """The suite's folder."""
        return self.path / "suite"

    @property
    def queue(self) -> Path:
        """The tasks of the batch."""
        return self.path / "queue.yaml"

    @property
    def reports(self) -> Path:
        """Where reports and results go."""
        return self.path / "reports"

    @property
    def baseline(self) -> Path:
        """The baseline that candidates are compared with."""
        return self.path / "baseline.json"

    def agent(self, version: str) -> Path:
        """An agent version's folder."""
        return self.path / "agents" / AGENT / version

    def cassette(self, name: str) -> Path:
        """The recorded answers of one part."""
        return self.path / "cassettes" / f"{name}.jsonl.gz"


def _copied(home: Path) -> Iterator[Path]:
    """Copy what is missing; yields the files that are there and differ from the packaged ones."""
    demo = Path(str(files("goldspan.harness") / "demo"))
    for source, target in (
        (bundled_agent(AGENT), home / "agents" / AGENT),
        (bundled("support_desk"), home / "suite"),
        (demo / "cassettes", home / "cassettes"),
        (demo / "queue.yaml", home / "queue.yaml"),
        (demo / "prices.yaml", home / "prices.yaml"),
    ):
        for file in [source] if source.is_file() else sorted(source.rglob("*")):
            if not file.is_file() or file.suffix == ".pyc":
                continue
            copy = target / file.relative_to(source) if file != source else target
            if not copy.exists():
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, copy)
            elif copy.read_bytes() != file.read_bytes():
                yield copy
