"""How much longer an evaluation takes than the calls that it makes, results durable.

    python -m benchmarks.throughput [--rounds 3] [--python /path/to/another/python]

Three loads, each run by a bare `asyncio` loop and by `goldspan eval`'s session, one after the other
in the same process: 500 cases at a concurrency of 50 and 2,000 at 200 on a function that awaits
100 ms, and calls over real HTTP to a server on loopback with the harness's model object. The clock
stops when the store has acknowledged every result. Of several rounds the least time of each counts.

Inspect AI, DeepEval and pydantic-evals run the same function where they can be imported, by this
Python or by the one of `--python`: they are measured, not needed.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TypeAlias

from benchmarks.model_server import model_server

from goldspan.evals.session import EvalOptions, EvalSession
from goldspan.evals.suite import load_suite
from goldspan.harness.models.live import LiveModel
from goldspan.harness.models.messages import ModelRequest, message_text, text_message
from goldspan.tracing.store import Store

NAP_S = 0.1
LOADS = ((500, 50), (2000, 200))
HTTP_LOAD = (500, 50)
OTHERS = ("pydantic-evals", "inspect-ai", "deepeval")
Target: TypeAlias = Callable[[str], Awaitable[str]]
_server: str | None = None


async def nap(text: str) -> str:
    """The function under evaluation: 100 ms of waiting."""
    await asyncio.sleep(NAP_S)
    return text.upper()


async def ask(text: str) -> str:
    """The same over HTTP: one call of a model."""
    messages = [text_message("user", text)]
    request = ModelRequest(provider="local", model="echo", system="Echo.", messages=messages)
    return message_text((await _model().answer(request)).message)


@cache
def _model() -> LiveModel:
    """The harness's model; its connections belong to one event loop, see `timed`."""
    return LiveModel.make("echo", base_url=_server)


async def bare(target: Target, cases: int, concurrency: int) -> None:
    """What nobody can beat: the calls alone, so many at once."""
    gate = asyncio.Semaphore(concurrency)

    async def one(number: int) -> str:
        async with gate:
            return await target(f"word {number}")

    await asyncio.gather(*(one(number) for number in range(cases)))


@contextmanager
def evaluation(target: Target, cases: int, concurrency: int) -> Iterator[Callable[[], None]]:
    """The same calls as an experiment, scored and stored; what is stored is looked up after it."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        lines = (
            json.dumps(
                {
                    "id": f"case-{n}",
                    "input": f"word {n}",
                    "expect": {"answer": {"contains": [f"word {n}"]}},
                }
            )
            for n in range(cases)
        )
        (home / "cases.jsonl").write_text("\n".join(lines), encoding="utf-8")
        (home / "suite.yaml").write_text(
            f"name: throughput\ntarget: benchmarks.throughput:{target.__name__}\n"
            "cases: [cases.jsonl]\nscorers: [outcome, answer]\n",
            encoding="utf-8",
        )

        def run() -> None:
            options = EvalOptions(store=home / "s.duckdb", concurrency=concurrency)
            EvalSession(load_suite(home / "suite.yaml"), options).run()

        yield run
        stored = Store.open(home / "s.duckdb").rows(
            "SELECT count(*) AS n FROM evaluations WHERE name = 'pass' AND passed"
        )[0]["n"]
        if stored != cases:
            raise SystemExit(f"{stored} of {cases} results are stored as passed")


def timed(work: Callable[[], object]) -> float:
    """Seconds. What earlier rounds left behind is cleared away before."""
    _model.cache_clear()
    gc.collect()
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def compared(target: Target, load: tuple[int, int], rounds: int) -> tuple[float, float]:
    """The least seconds of the bare loop and of the evaluation."""
    ours, theirs = [], []
    for _ in range(rounds):
        theirs.append(timed(lambda: asyncio.run(bare(target, *load))))
        with evaluation(target, *load) as run:
            ours.append(timed(run))
    return min(theirs), min(ours)


def started(rounds: int) -> tuple[float, float]:
    """The least seconds of `python -c pass`, and of `goldspan eval` on one trivial case."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "cases.jsonl").write_text('{"id": "one", "input": "a", "expect": {}}\n')
        (home / "trivial.py").write_text("def target(text): return text\n")
        (home / "suite.yaml").write_text(
            "name: one\ntarget: trivial:target\ncases: [cases.jsonl]\nscorers: [outcome]\n"
        )
        path = os.pathsep.join([str(home), *filter(None, sys.path)])
        command = "from goldspan.cli import main; main()"
        argv = [sys.executable, "-c", command, "eval", "suite.yaml", "--store", "s.duckdb"]
        env = {**os.environ, "PYTHONPATH": path}

        def run(command: list[str]) -> float:
            return timed(
                lambda: subprocess.run(command, cwd=home, env=env, check=True, capture_output=True)
            )

        plain = min(run([sys.executable, "-c", "pass"]) for _ in range(rounds))
        return plain, min(run(argv) for _ in range(rounds))


def other(name: str, python: str, cases: int, concurrency: int) -> str:
    """What another library takes for the same calls, as it says itself in its own process."""
    script = Path(__file__).with_name("other_runners.py")
    done = subprocess.run(
        [python, str(script), name, str(cases), str(concurrency)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    if done.returncode == 3:
        return "not installed"
    if done.returncode:
        return f"failed: {done.stderr.strip().splitlines()[-1][:100]}"
    return f"{float(done.stdout.split()[-1]):.2f} s"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--python", default=sys.executable, help="Where the others are installed.")
    options = parser.parse_args()
    print("| load | bare loop | goldspan | ratio |\n|---|---|---|---|")
    for load in LOADS:
        alone, ours = compared(nap, load, options.rounds)
        name = f"{load[0]} cases at {load[1]}, 100 ms each"
        print(f"| {name} | {alone:.2f} s | {ours:.2f} s | {ours / alone:.2f} |", flush=True)
    global _server
    with model_server(NAP_S) as _server:
        alone, ours = compared(ask, HTTP_LOAD, options.rounds)
    name = f"{HTTP_LOAD[0]} model calls over HTTP at {HTTP_LOAD[1]}"
    print(f"| {name} | {alone:.2f} s | {ours:.2f} s | {ours / alone:.2f} |", flush=True)
    plain, one = started(options.rounds)
    print(f"\none trivial case: {one:.2f} s, {one - plain:.2f} s more than Python alone")
    for name in OTHERS:
        for cases, concurrency in LOADS:
            took = other(name, options.python, cases, concurrency)
            print(f"{name}, {cases} cases at {concurrency}: {took}", flush=True)


if __name__ == "__main__":
    # `python -m` calls this module __main__; the target of the suites is the imported one.
    from benchmarks.throughput import main as imported_main

    imported_main()
