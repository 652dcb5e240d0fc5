"""The shipped cassettes are what their manifest says, and fit the shipped agents and cases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from goldspan.golden import bundled, load_cases
from goldspan.harness.demo.recording import CASSETTES, cases_digest, described, pack
from goldspan.harness.operation.tasks import load_tasks

MANIFEST: dict[str, Any] = yaml.safe_load((CASSETTES / "manifest.yaml").read_text("utf-8"))
QUEUE = CASSETTES.parent / "queue.yaml"


def test_the_manifest_lists_every_cassette() -> None:
    listed = [entry["file"] for entry in MANIFEST["cassettes"]]
    assert sorted(listed) == sorted(path.name for path in CASSETTES.glob("*.gz"))
    assert len(listed) == 5


@pytest.mark.parametrize("entry", MANIFEST["cassettes"], ids=lambda entry: entry["file"])
def test_a_cassette_is_what_the_manifest_says(entry: dict[str, Any]) -> None:
    assert described(CASSETTES / entry["file"]) == entry


def test_the_cases_are_those_that_were_recorded() -> None:
    assert MANIFEST["cases_digest"] == cases_digest()


def test_every_repeat_of_every_case_is_there() -> None:
    cases = load_cases(sorted(bundled("support_desk").glob("cases/*.yaml"))).cases
    for entry in MANIFEST["cassettes"]:
        if entry["file"].startswith("queue"):
            assert entry["runs"] == len(load_tasks(QUEUE))
        else:
            assert entry["runs"] == 5 * len(cases)


def test_the_same_answers_pack_to_the_same_bytes(tmp_path: Path) -> None:
    digest = MANIFEST["cassettes"][0]["agent_digest"]
    row = {"agent": digest, "seed": 0, "nth": 0, "request": "r"}
    answer = {"response_model": "m", "message": {}}
    rows = [{**row, "case": c, "repeat": n, "answer": answer} for n in (0, 1) for c in "ab"]
    for name, order in (("one", rows), ("two", rows[::-1])):
        lines = "".join(json.dumps(each) + "\n" for each in order)
        (tmp_path / f"{name}.jsonl").write_text(lines, encoding="utf-8")
    one, two = (pack(tmp_path / f"{n}.jsonl", tmp_path / f"{n}.jsonl.gz") for n in ("one", "two"))
    assert one["sha256"] == two["sha256"]
    assert (one["runs"], one["answers"]) == (4, 4)
