"""One breaker for worker processes on one real SQLite file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.ledger import Ledger
from goldspan.tracing import semconv

WORKER = """
import json, sys
from goldspan.harness.failure.policy import BreakerPolicy, FailurePolicy
from goldspan.harness.guards.breaker import Breakers
from goldspan.harness.ledger import Intent, Ledger

url, me = sys.argv[1:]
now, seen = 1000.0, []
policy = FailurePolicy(breaker=BreakerPolicy(failures=21, cooldown_s=60, probe_s=30))
breakers = Breakers(Ledger(url, clock=lambda: now), policy, lambda _tx, name, _a: seen.append(name))
print("ready", flush=True)
for line in sys.stdin:
    act, now = line.split()[0], float(line.split()[1])
    for n in range(10):
        if act == "fail":
            breakers.failed("t", f"{me}-{n}", "no")
        else:
            seen.append(breakers.admit(Intent.of(me, n, "t", [n, now])).standing)
    print(json.dumps(seen), flush=True)
    seen.clear()
"""


class Processes:
    """Three workers of their own processes, who do the same at the same moment."""

    def __init__(self, url: str) -> None:
        self.running = [
            subprocess.Popen(
                [sys.executable, "-c", WORKER, url, str(me)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for me in range(3)
        ]
        assert self._lines() == ["ready\n"] * 3

    def do(self, act: str, now: float) -> Counter[str]:
        """What they saw."""
        for process in self.running:
            assert process.stdin is not None
            process.stdin.write(f"{act} {now}\n")
            process.stdin.flush()
        return Counter(word for line in self._lines() for word in json.loads(line))

    def close(self) -> None:
        for process in self.running:
            process.communicate(timeout=60)

    def _lines(self) -> list[str]:
        return [process.stdout.readline() for process in self.running if process.stdout]


def test_processes_count_together_and_one_of_them_probes(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    with closing(Processes(url)) as workers:
        assert workers.do("fail", 1000) == {semconv.BREAKER_CHANGED: 1, semconv.INCIDENT: 1}
        assert workers.do("admit", 1059) == {"open": 30}
        probed = workers.do("admit", 1060)
        assert probed == {"open": 29, "admitted": 1, semconv.BREAKER_CHANGED: 1}
        lapsed = workers.do("admit", 1090)
        assert lapsed == {"open": 29, "admitted": 1, semconv.BREAKER_CHANGED: 1}
    with closing(Ledger(url)) as ledger:
        found = Breakers(ledger).find("t")
    assert (found.state, found.failures) == ("half", 21)
