"""Recordings of other people's instrumentations, where they lie beside the project."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from goldspan.tracing.batch import IngestBatch
from goldspan.tracing.otlp import decode
from goldspan.tracing.pricing import Prices
from goldspan.tracing.store import Store
from goldspan.tracing.store.seen import Seen
from goldspan.tracing.store.writing import Writer

CORPUS = Path(__file__).parents[3] / "shared" / "otlp-corpus"
VIEWS = ("spans", "events", "llm_calls", "tool_calls", "duplicates", "traces")
EMITTERS = sorted(p.parent.name for p in CORPUS.glob("*/achievable.json"))

pytestmark = pytest.mark.skipif(not EMITTERS, reason="no recordings beside the project")


def batches(emitter: str) -> list[IngestBatch]:
    files = sorted((CORPUS / emitter).iterdir())
    named = {"expected.json", "meta.json", "achievable.json"}
    return [decode(f.read_bytes(), name=f.name) for f in files if f.name not in named]


def single(emitter: str) -> Iterator[IngestBatch]:
    """The recording, one record a request."""
    for batch in batches(emitter):
        for span in batch.spans:
            yield IngestBatch([span])
        for log in batch.logs:
            yield IngestBatch(logs=[log])


def views_after(
    folder: Path, requests: list[IngestBatch], *, owned: bool = False
) -> dict[str, list[Any]]:
    folder.mkdir()
    path = Store.open(folder / "s.duckdb").path
    with duckdb.connect(path) as connection:
        writer = Writer(connection, Prices(), Seen.load(connection) if owned else None)
        for request in requests:
            writer.write(request)
        return {
            view: connection.execute(f"SELECT * FROM {view} ORDER BY ALL").fetchall()
            for view in VIEWS
        }


@pytest.mark.parametrize("emitter", EMITTERS)
def test_order_and_repetition_change_nothing(emitter: str, tmp_path: Path) -> None:
    expected = views_after(tmp_path / "plain", batches(emitter))
    shuffled = [*single(emitter), *single(emitter)]
    random.Random(7).shuffle(shuffled)
    # A server remembers what it has seen, a single process looks it up: half of them each way.
    owned = EMITTERS.index(emitter) % 2 == 0
    if not owned:
        assert views_after(tmp_path / "twice", batches(emitter) + batches(emitter)) == expected
    assert views_after(tmp_path / "shuffled", shuffled, owned=owned) == expected


def test_every_aspect_of_every_recording_is_right(tmp_path: Path) -> None:
    """The corpus brings its own scorer, which reads the views of a store that a command made."""
    done = subprocess.run(
        [
            sys.executable,
            str(CORPUS / "score.py"),
            "--corpus",
            str(CORPUS),
            "--ingest",
            f"{sys.executable} -m goldspan.cli ingest --store {{store}} {{files}}",
            "--json",
            str(tmp_path / "score.json"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    result = json.loads((tmp_path / "score.json").read_text("utf-8"))
    wrong = {r["emitter"]: r["reason"] for r in result if r["reason"]}
    missed = [
        (r["emitter"], a["name"], a["mark"], a["got"], a["achievable"], a["detail"])
        for r in result
        for a in r["aspects"]
        if not a["passed"]
    ]
    assert (wrong, missed, done.returncode) == ({}, [], 0)
