"""A worker process: takes durable runs from the queue, and keeps watch over itself and the others.

It beats, so that others know that it lives; takes over what the dead had; wakes the runs that have
what they waited for; and cuts what a kill flag stops. A worker that was taken for dead ends itself,
since another has its runs.
"""

from __future__ import annotations

import logging
import math
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from types import TracebackType

from goldspan.harness.engine import Engine, EngineConfig, Runner
from goldspan.harness.ledger import Ledger
from goldspan.harness.ledger.database import without_password
from goldspan.harness.ledger.executors import Executors
from goldspan.harness.steps import Park
from goldspan.tracing.errors import ConfigError

POLL_S = 0.25  # how soon a kill flag is seen
GRACE_S = 10.0
BURIED = 9  # the exit code of a worker that was taken for dead

_log = logging.getLogger(__name__)


class WorkerProcess:
    """The durable engine of this process with its watch. Also a context manager.

    `chores` are called as often as it beats, and once more at the end, as for the sending of audit
    events. Each has a thread of its own, so none waits for another. A chore that fails is logged,
    and called again.
    """

    def __init__(
        self,
        config: EngineConfig,
        runner: Runner,
        *,
        ledger: Ledger | None = None,
        chores: Sequence[Callable[[], object]] = (),
        die: Callable[[int], None] = os._exit,
    ) -> None:
        self.config = config
        self.ledger = ledger or Ledger(config.url)
        self.executors = Executors(self.ledger)
        self.id = uuid.uuid4().hex
        self.engine = Engine(
            config, self.ledger, runner, executor=self.id, fence=self.fence, fenced=self.fenced
        )
        self._chores = chores
        self._die = die
        self._beaten = 0.0
        self._stop = threading.Event()
        self._patience = math.inf
        self._threads = [
            threading.Thread(target=self._every, args=(pause, work), name=name, daemon=True)
            for name, pause, work in (
                ("goldspan-beat", config.beat_s, self._tend),
                ("goldspan-kill", POLL_S, self.cut_killed),
                *(("goldspan-chore", config.beat_s, partial(_do, chore)) for chore in chores),
            )
        ]

    @property
    def place(self) -> str:
        """The database, without the password of its URL."""
        return without_password(self.config.url)

    def start(self) -> None:
        """Begin to take runs.

        Raises `ConfigError` where the database is SQLite and another worker uses it: two would
        count each other's runs for nobody's.
        """
        self._bury_gone()
        others = self.executors.alive()
        if others and self.ledger.database.is_sqlite:
            other = others[0]
            raise ConfigError(
                f"worker {other['pid']} on {other['host']} uses this database: SQLite serves one",
                where=self.place,
                remedy="stop it, or give all workers one PostgreSQL database",
            )
        self.executors.add(self.id)
        self._beaten = time.monotonic()
        self.engine.launch()
        for thread in self._threads:
            thread.start()

    def close(self, *, grace_s: float = GRACE_S) -> None:
        """Stop: calls and chores under way may end, for as long as `grace_s`, and none begins but
        each chore's last, for as long once more. The next worker goes on with the runs at once."""
        self.engine.watch.stopping = True
        self._patience = time.monotonic() + grace_s
        while self.engine.watch.lives and not self.hurries():
            time.sleep(0.01)
        self._stop.set()
        last = threading.Thread(target=self._do_chores, name="goldspan-last-chores", daemon=True)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, self._patience - time.monotonic()))
        last.start()
        last.join(grace_s)
        self.engine.close()
        self.executors.bury_one(self.id)
        self.ledger.close()

    def hurries(self) -> bool:
        """Whether this process should have ended by now: a chore leaves the rest to the next."""
        return time.monotonic() > self._patience

    def __enter__(self) -> WorkerProcess:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def fence(self) -> None:
        """Make sure that nobody took this process for dead. Called before each step, in a thread:
        a process that slept may wake up in the middle of a run that another has."""
        if not self.fenced():
            self.beat()

    def fenced(self) -> bool:
        """Whether this process said a moment ago that it lives, and was heard: asks no database."""
        return time.monotonic() - self._beaten <= self.config.dead_after_s / 2

    def beat(self) -> None:
        """Say that this process lives. Ends it where others think that it does not."""
        now = time.monotonic()
        if not self.executors.beat(self.id):
            _log.error("this worker was taken for dead, and ends: others have its runs")
            self._die(BURIED)
        self._beaten = now

    def sweep(self) -> None:
        """Take over the runs of the dead, and wake those that have what they waited for."""
        # All of them, each time: one that slept may have taken a run before it knew.
        self.engine.recover(self.executors.bury(self.config.dead_after_s))
        self.engine.wake_awaited()

    def cut_killed(self) -> None:
        """Cancel what is under way in runs that a kill flag stops."""
        flags = self.ledger.kill_flags()
        for task, (run_id, agent) in list(self.engine.watch.in_flight.items()) if flags else ():
            scope = next(
                (s for s in ("all", f"agent:{agent}", f"run:{run_id}") if s in flags), None
            )
            if scope is not None and task not in self.engine.watch.cut:
                self.engine.watch.cut[task] = Park("kill", scope, flags[scope])
                task.get_loop().call_soon_threadsafe(task.cancel)

    def _tend(self) -> None:
        self.beat()
        self.sweep()

    def _do_chores(self) -> None:
        for chore in self._chores:
            _do(chore)

    def _bury_gone(self) -> None:
        """A worker of this machine whose process is gone need not be waited for."""
        for other in self.executors.alive():
            # In a container that was started again, the dead one had this process's number.
            mine = other["pid"] == os.getpid() and Engine.current is None
            if other["host"] == socket.gethostname() and (mine or not _runs(other["pid"])):
                self.executors.bury_one(other["id"])
        self.executors.bury(self.config.dead_after_s)

    def _every(self, pause_s: float, work: Callable[[], None]) -> None:
        while not self._stop.wait(pause_s):
            try:
                work()
            except Exception:  # noqa: BLE001  the watch must not end before its process
                # The database may be away for a while; the fence still holds.
                _log.exception("the worker's watch failed, and goes on")


def _do(chore: Callable[[], object]) -> None:
    """One that fails keeps no other from being done."""
    try:
        chore()
    except Exception as error:  # noqa: BLE001  it is called again
        _log.error("a chore of the worker failed, and is done again: %s", error)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
