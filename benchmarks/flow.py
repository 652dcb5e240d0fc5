"""A steady flow of spans to a server, from a process of its own.

    python -m benchmarks.flow PORT SPANS_A_SECOND

Sends until its standard input ends, then prints how many spans a second were acknowledged.
"""

from __future__ import annotations

import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.served import post
from benchmarks.workload import START_NS, TWO_WEEKS_NS, batches

NEW_SEED = 2  # other spans than those of the filled store
SENDERS = 2
MANY_SPANS = 10**9


@dataclass(slots=True)
class Load:
    """What the flow attained; known once it has ended."""

    spans_a_second: float = 0.0


@contextmanager
def under_load(port: int, rate: float) -> Iterator[Load]:
    """Spans flow to the port, `rate` a second, until the block ends."""
    argv = [sys.executable, "-m", "benchmarks.flow", str(port), str(rate)]
    sender = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    load = Load()
    try:
        yield load
    finally:
        said, _ = sender.communicate("")
        if sender.returncode:
            raise SystemExit("the flow of spans broke")
        load.spans_a_second = float(said)


def flow(port: int, rate: float, stop: threading.Event) -> float:
    """Keep the rate with two requests under way; returns spans acknowledged a second."""
    made = batches(MANY_SPANS, seed=NEW_SEED, start_ns=START_NS + TWO_WEEKS_NS)
    turn = threading.Lock()
    began, due_spans, acknowledged = time.monotonic(), 0, 0
    failures: list[int] = []

    def sender() -> None:
        nonlocal due_spans, acknowledged
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while not stop.is_set() and not failures:
            with turn:
                batch = next(made)
                due = began + due_spans / rate
                due_spans += batch.spans
            time.sleep(max(0.0, due - time.monotonic()))
            while (answer := post(connection, batch.body))[0] in (429, 503):
                time.sleep(answer[1])
            if answer[0] != 200:
                failures.append(answer[0])
                break
            with turn:
                acknowledged += batch.spans
        connection.close()

    threads = [threading.Thread(target=sender) for _ in range(SENDERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise SystemExit(f"a request was answered {failures[0]}")
    return acknowledged / (time.monotonic() - began)


def main() -> None:
    """Send until standard input ends."""
    stop = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        stop.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    print(flow(int(sys.argv[1]), float(sys.argv[2]), stop))


if __name__ == "__main__":
    main()
