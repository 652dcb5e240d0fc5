"""`goldspan serve` as a child process on a copy of a store, and clients that send to it.

CPU time and peak memory are read from /proc: Linux only.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_COMMAND = [sys.executable, "-c", "from goldspan.cli import main; main()", "serve"]
_TICKS = os.sysconf("SC_CLK_TCK")
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 300.0
PROTOBUF = {"Content-Type": "application/x-protobuf"}


@dataclass(slots=True)
class Served:
    """A running server."""

    process: subprocess.Popen[bytes]
    store: Path
    port: int

    def cpu_s(self) -> float:
        """User and system time of the process so far, in seconds. 0 once it has ended."""
        with suppress(FileNotFoundError):
            stat = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8")
            after_name = stat.rpartition(")")[2].split()
            return (int(after_name[11]) + int(after_name[12])) / _TICKS
        return 0.0

    def peak_mb(self) -> float:
        """The most memory that was resident at once, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1000

    def stop(self) -> float:
        """Stop it gracefully. Returns the CPU seconds of its whole life."""
        before = sum(os.times()[2:4])
        self.process.terminate()
        code = self.process.wait(STOP_TIMEOUT_S)
        if code:
            raise SystemExit(f"the server ended with exit code {code}")
        return sum(os.times()[2:4]) - before


@contextmanager
def serving(store: Path, *, dashboard: bool = False) -> Iterator[Served]:
    """A server on a copy of the store, once it answers. Raises SystemExit if it does not."""
    with tempfile.TemporaryDirectory(prefix="served-", dir=store.parent) as folder:
        copy = Path(folder) / "store.duckdb"
        shutil.copyfile(store, copy)
        http_port, grpc_port, page_port = _free_ports(3)
        argv = ["--store", str(copy), "--port", str(http_port), "--grpc-port", str(grpc_port)]
        argv += ["--dashboard-port", str(page_port)] if dashboard else ["--no-dashboard"]
        log = Path(folder) / "log"
        with log.open("wb") as file:
            process = subprocess.Popen([*_COMMAND, *argv], stdout=file, stderr=file)
        served = Served(process, copy, http_port)
        try:
            if not _answers(served):
                raise SystemExit(f"`goldspan serve` did not start:\n{log.read_text()[-2000:]}")
            yield served
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()


@dataclass(slots=True)
class Sent:
    """What clients got answered: seconds to each answer, and how often they were told to wait."""

    seconds: list[float] = field(default_factory=list)
    told_to_wait: int = 0
    failures: list[str] = field(default_factory=list)


def send(served: Served, bodies: Sequence[bytes], *, clients: int = 4) -> Sent:
    """POST all bodies to /v1/traces, each client one after the other, until all are answered.

    An answer says that its spans are committed. Raises SystemExit if a body was not taken.
    """
    waiting = iter(bodies)
    turn = threading.Lock()
    sent = Sent()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=120)
        while True:
            with turn:
                body = next(waiting, None)
            if body is None:
                break
            began = time.perf_counter()
            try:
                while (answer := post(connection, body))[0] in (429, 503):
                    sent.told_to_wait += 1
                    time.sleep(answer[1])
            except (OSError, http.client.HTTPException) as error:
                sent.failures.append(repr(error))
                break
            if answer[0] != 200:
                sent.failures.append(f"answer {answer[0]}")
            sent.seconds.append(time.perf_counter() - began)
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sent.failures:
        raise SystemExit(f"{len(sent.failures)} requests failed, e.g. {sent.failures[0]}")
    return sent


def post(connection: http.client.HTTPConnection, body: bytes) -> tuple[int, float]:
    """The answer's status, and the seconds of its Retry-After."""
    connection.request("POST", "/v1/traces", body, PROTOBUF)
    answer = connection.getresponse()
    answer.read()
    return answer.status, float(answer.headers.get("Retry-After") or 0.2)


def _answers(served: Served) -> bool:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and served.process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
        with suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return True
        connection.close()
        time.sleep(0.1)
    return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
