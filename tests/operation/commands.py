"""Goldspan's commands as a person types them, and worker processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMMAND = [sys.executable, "-c", "from goldspan.cli import main; main()"]
PATIENCE_S = 90.0


def environment(**more: str) -> dict[str, str]:
    """This process's, without what would point commands elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("GOLDSPAN_", "OTEL_"))}
    path = os.pathsep.join(filter(None, sys.path))
    return {**kept, "PYTHONPATH": path, "COLUMNS": "160", **more}


def run(
    cwd: Path, *argv: object, code: int = 0, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command that is expected to exit so."""
    done = subprocess.run(
        [*COMMAND, *map(str, argv)],
        cwd=cwd,
        env=env or environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def asked(cwd: Path, *argv: object, code: int = 0, env: Mapping[str, str] | None = None) -> Any:
    """What a command says as JSON."""
    return json.loads(run(cwd, *argv, "--json", code=code, env=env).stdout)


@contextmanager
def working(
    cwd: Path, *argv: object, count: int = 1, env: Mapping[str, str] | None = None
) -> Iterator[list[subprocess.Popen[str]]]:
    """So many worker processes, once all take runs; they end in order when the block does."""
    workers = [
        subprocess.Popen(
            [*COMMAND, "worker", *map(str, argv)],
            cwd=cwd,
            env=env or environment(),
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for worker in workers:
            assert worker.stderr is not None
            line = worker.stderr.readline()
            assert "takes runs from" in line, line + worker.stderr.read()
        yield workers
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        for worker in workers:
            _, problems = worker.communicate(timeout=PATIENCE_S)
            assert worker.returncode == 0, problems
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def waited(what: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """What it answers once that is true; fails if it does not come."""
    end = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.05)
    return found
