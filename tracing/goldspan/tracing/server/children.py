"""A child process that is kept running: the dashboard, beside the server and never in it."""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

_log = logging.getLogger(__name__)
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
STEADY_S = 30.0  # a child that lived so long starts anew with the shortest pause
STOP_S = 5.0


@dataclass(frozen=True)
class ChildCommand:
    """What to start, and what to call it in messages."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)


class Child:
    """Starts a command, and starts it again with growing pauses when it ends.

    Its standard input is a pipe that nobody writes to: it ends with this process, however that
    ends, and the child can see that.
    """

    def __init__(self, command: ChildCommand, on_start: Callable[[], None]) -> None:
        self._command = command
        self._on_start = on_start
        self._process: subprocess.Popen[bytes] | None = None
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._supervise, name=f"goldspan-{command.name}")

    @property
    def pid(self) -> int | None:
        """The running child's process id."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def start(self) -> None:
        """Start it, and watch over it."""
        self._thread.start()

    def stop(self) -> None:
        """End it, and do not start it again."""
        self._stopping.set()
        with self._lock:
            process = self._process
        if process is not None and process.poll() is None:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_S)
            if process.poll() is None:
                process.kill()
        self._thread.join()

    def _supervise(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            process = self._started()
            if process is None:
                return
            try:
                process.wait(STEADY_S)
            except subprocess.TimeoutExpired:
                pause = FIRST_PAUSE_S
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
            if self._stopping.is_set():
                return
            _log.warning(
                "the %s ended with code %s; it is started again in %.1f s",
                self._command.name,
                process.returncode,
                pause,
            )
            self._stopping.wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            try:
                self._process = subprocess.Popen(
                    self._command.argv,
                    env={**os.environ, **self._command.environment},
                    stdin=subprocess.PIPE,
                )
            except OSError as error:
                _log.error("the %s cannot be started: %s", self._command.name, error)
                return None
        self._on_start()
        return self._process
