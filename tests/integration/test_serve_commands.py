"""Every command works on a store while a server owns it and takes spans."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from tests.served import COMMAND, Served, post, serving, spans, stored

from goldspan.harness import demo as recorded

SUITE = """
name: words
target: words:answer
cases: [cases.yaml]
scorers: [answer]
"""
CASES = """
cases:
  - {id: one, input: one, expect: {answer: {contains: [ONE]}}}
  - {id: two, input: two, expect: {answer: {contains: [TWO]}}}
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("commands")
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "cases.yaml").write_text(CASES)
    (folder / "words.py").write_text("def answer(text):\n    return text.upper()\n")
    (folder / "body.pb").write_bytes(spans(7, seed=7).SerializeToString())
    stop = threading.Event()
    problems: list[int] = []

    def send(url: str) -> None:
        seed = 1000
        while not stop.is_set():
            seed += 1
            status = post(url, "/v1/traces", spans(5, seed).SerializeToString()).status
            if status != 200:
                problems.append(status)
            stop.wait(0.05)

    with serving(folder / "goldspan.duckdb") as server:
        thread = threading.Thread(target=send, args=(server.url,))
        thread.start()
        yield server
        stop.set()
        thread.join()
        assert problems == []
        with pytest.raises(duckdb.IOException, match="lock"):
            duckdb.connect(server.store)


def goldspan(served: Served, *argv: str, codes: tuple[int, ...] = (0,)) -> str:
    """Run a command on the served store; its standard output."""
    folder = served.store.parent
    clean = {k: v for k, v in os.environ.items() if not k.startswith("GOLDSPAN_")}
    path = os.pathsep.join([str(folder), *filter(None, sys.path)])
    done = subprocess.run(
        [*COMMAND, *argv, "--store", str(served.store)],
        cwd=folder,
        env={**clean, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode in codes, done.stderr + done.stdout
    return done.stdout


def test_ingest_tells_what_was_new(served: Served) -> None:
    first = json.loads(goldspan(served, "ingest", "body.pb", "--json"))
    again = json.loads(goldspan(served, "ingest", "body.pb", "--json"))
    assert (first["stored_spans"], first["duplicate_spans"]) == (7, 0)
    assert (again["stored_spans"], again["duplicate_spans"]) == (0, 7)


def test_sql(served: Served) -> None:
    spans_of_name = "SELECT count(*) AS n FROM spans WHERE name = 'span 0'"
    assert json.loads(goldspan(served, "sql", spans_of_name, "--json"))[0]["n"] >= 1
    few = goldspan(served, "sql", "FROM range(9)", "--max-rows", "3", "--json")
    assert len(json.loads(few)) == 3


def test_run_through_a_queue(served: Served) -> None:
    demo = Path(recorded.__file__).parent
    cassette = served.store.parent / "queue.jsonl"
    cassette.write_bytes(gzip.decompress((demo / "cassettes" / "queue.jsonl.gz").read_bytes()))
    (served.store.parent / "prices.yaml").write_bytes((demo / "prices.yaml").read_bytes())
    agent = str(demo / "agents" / "support-desk" / "v1.0.0")
    queue = ("--queue", str(demo / "queue.yaml"), "--seed", "2", "--cassette", str(cassette))
    goldspan(served, "run", agent, *queue, "--batch", "intake")
    told = goldspan(
        served, "sql", "SELECT count(*) AS n FROM runs WHERE batch_id = 'intake'", "--json"
    )
    assert json.loads(told)[0]["n"] >= 5


def test_simulate_monitor_eval_and_report(served: Served) -> None:
    plan = ("--days", "20", "--runs-per-day", "30")
    assert json.loads(goldspan(served, "simulate", *plan, "--json"))["runs"] > 0
    goldspan(served, "monitor", "check", "--simulated", codes=(0, 1))  # 1: one fires
    told = json.loads(goldspan(served, "eval", "suite.yaml", "--experiment", "e", "--json"))
    assert told["verdict"] == "measured"
    found = goldspan(
        served, "sql", "SELECT count(*) AS n FROM evaluations WHERE experiment_id = 'e'", "--json"
    )
    assert json.loads(found)[0]["n"] >= 2
    goldspan(served, "report", "--since", "7d", "--out", "out")
    assert (served.store.parent / "out" / "report.md").stat().st_size > 100


def test_export_has_every_row(served: Served) -> None:
    before = stored(served.store)["spans"]
    rows = json.loads(goldspan(served, "export", "--parquet", "out", "--json"))["rows"]
    assert before <= rows["spans"] <= stored(served.store)["spans"]
    files = {file.stem for file in (served.store.parent / "out").glob("*.parquet")}
    assert files == set(rows)


@pytest.mark.parametrize("name", ["overview", "traces", "cost"])
def test_the_dashboards_pages(served: Served, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    testing = pytest.importorskip("streamlit.testing.v1")
    monkeypatch.setenv("GOLDSPAN_STORE", str(served.store))
    page = testing.AppTest.from_function(page_of, kwargs={"name": name}, default_timeout=60).run()
    assert not page.exception
    assert not page.error
    assert page.get("bidi_component") or page.markdown


def page_of(name: str) -> None:
    import importlib

    from goldspan.dashboards.components.boundary import guarded

    guarded(importlib.import_module(f"goldspan.dashboards.pages.{name}").page)()
