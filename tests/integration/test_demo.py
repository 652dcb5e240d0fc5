"""`goldspan demo` as a process: what it finds, that others may read meanwhile, and a second run."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Found: TypeAlias = tuple[dict[str, Any], list[int]]
COMMAND = [sys.executable, "-c", "from goldspan.cli import main; main()"]
REAL_CALLS = """
    SELECT count(*) AS calls, count(DISTINCT run_id) AS runs, sum(spent_usd) AS spent,
           sum(cost_usd) AS as_recorded
    FROM llm_calls WHERE NOT simulated
"""


def goldspan(*argv: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith("GOLDSPAN_")}
    return subprocess.run(
        [*COMMAND, *argv], cwd=cwd, capture_output=True, text=True, check=False, env=env
    )


def rows(store: Path, query: str) -> list[dict[str, Any]]:
    done = goldspan("sql", "--store", str(store), "--json", query, cwd=store.parent)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "work"


@pytest.fixture(scope="module")
def first(home: Path) -> Found:
    """What the first run found, and how many runs others saw in the store meanwhile."""
    seen: list[int] = []
    with subprocess.Popen(
        [*COMMAND, "demo", "--dir", str(home), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None:
            if (home / "goldspan.duckdb").exists():
                query = "SELECT count(*) AS n FROM runs WHERE NOT simulated"
                seen.append(int(rows(home / "goldspan.duckdb", query)[0]["n"]))
            time.sleep(4)
        text, errors = process.communicate()
    assert process.returncode == 0, errors
    return json.loads(text), seen


def test_verdicts(first: Found) -> None:
    baseline, again, changed, mended = first[0]["evals"]
    assert (baseline["verdict"], again["verdict"], mended["verdict"]) == (
        "measured",
        "pass",
        "pass",
    )
    assert (changed["verdict"], changed["exit_code"]) == ("regression", 1)
    assert changed["comparison"]["effect"] <= -0.2
    assert changed["comparison"]["high"] < 0
    assert changed["comparison"]["cases"] >= 24
    worst = changed["flipped"][0]
    assert worst["candidate"] < worst["baseline"]
    assert worst["divergence"]["step"] >= 1
    assert worst["divergence"]["baseline"] != worst["divergence"]["candidate"]


def test_the_monitors_find_what_was_planted_and_nothing_else(
    first: Found,
) -> None:
    found = [(f["monitor"], f["simulated"]) for f in first[0]["monitors"]]
    assert sorted(found) == [("cost-spike", True), ("tool-call-drift", True)]


def test_others_read_the_store_while_it_runs(first: Found) -> None:
    found, seen = first
    total = rows(Path(found["store"]), REAL_CALLS)[0]["runs"]
    assert any(0 < number < total for number in seen)


def test_runs_are_in_the_store_and_cost_nothing(
    first: Found,
) -> None:
    (row,) = rows(Path(first[0]["store"]), REAL_CALLS)
    assert row["runs"] >= 4 * 24 * 5
    assert row["spent"] == 0
    assert row["as_recorded"] > 0


def test_reports_open_without_anything_else(first: Found) -> None:
    files = [Path(name) for name in first[0]["reports"]]
    assert sorted(file.name for file in files) == [
        "report.html",
        "report.html",
        "report.md",
        "report.md",
    ]
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert first[0]["queue"]["batch"] in text or "paused" in text
        assert "<link" not in text
        assert "<script src" not in text
        assert 'src="http' not in text


def test_a_second_run_counts_again_and_says_what_it_reuses(home: Path, first: Found) -> None:
    store = home / "goldspan.duckdb"
    (before,) = rows(store, REAL_CALLS)
    simulated = "SELECT count(*) AS n FROM runs WHERE simulated"
    (fortnight,) = rows(store, simulated)
    with (home / "queue.yaml").open("a", encoding="utf-8") as queue:
        queue.write("# mine\n")
    done = goldspan("demo", "--dir", str(home), cwd=home.parent)
    assert done.returncode == 0, done.stderr
    assert "reused: the folder" in done.stdout
    assert "kept as you changed them: queue.yaml" in done.stdout
    assert f"reused: the {fortnight['n']} simulated runs" in done.stdout
    assert f"goldspan dashboard --store {store}" in done.stdout
    (after,) = rows(store, REAL_CALLS)
    assert after["calls"] == 2 * before["calls"]
    assert after["runs"] == 2 * before["runs"]
    assert after["spent"] == 0
    assert rows(store, simulated) == [fortnight]


def evaluate(
    home: Path, version: str, seed: int, tmp_path: Path, *more: str
) -> subprocess.CompletedProcess[str]:
    shutil.copy(home / "prices.yaml", tmp_path)
    return goldspan(
        *("eval", str(home / "suite"), "--agent", str(home / "agents" / "support-desk" / version)),
        *("--seed", str(seed), "--baseline", str(home / "baseline.json")),
        *("--store", str(tmp_path / "goldspan.duckdb"), *more),
        cwd=home,
    )


@pytest.mark.parametrize(
    ("version", "seed", "exit_code"), [("v1.0.0", 1, 0), ("v1.1.0", 0, 1), ("v1.2.0", 0, 0)]
)
def test_eval_says_the_verdict_by_its_exit_code(
    version: str, seed: int, exit_code: int, home: Path, first: object, tmp_path: Path
) -> None:
    cassette = home / "cassettes" / f"{version}-seed-{seed}.jsonl.gz"
    done = evaluate(home, version, seed, tmp_path, "--cassette", str(cassette))
    assert done.returncode == exit_code, done.stderr + done.stdout


def test_an_answer_missing_from_the_cassette_is_named(
    home: Path, first: object, tmp_path: Path
) -> None:
    whole = home / "cassettes" / "v1.2.0-seed-0.jsonl.gz"
    answers = gzip.decompress(whole.read_bytes()).decode().splitlines(keepends=True)
    gone = json.loads(answers[len(answers) // 2])
    part = tmp_path / "part.jsonl"
    part.write_text("".join(a for a in answers if json.loads(a) != gone), encoding="utf-8")
    only = ("--case", gone["case"], "--cassette", str(part))
    done = evaluate(home, "v1.2.0", 0, tmp_path, *only)
    assert done.returncode == 4
    assert "COULD NOT MEASURE" in done.stdout
    assert f"{gone['case']}, repeat {gone['repeat']}, seed 0" in done.stdout


def test_a_broken_suite_file_exits_2_and_names_the_line(
    home: Path, first: object, tmp_path: Path
) -> None:
    suite = shutil.copytree(home / "suite", tmp_path / "suite") / "suite.yaml"
    suite.write_text(suite.read_text("utf-8").replace("repeats: 5", "repeats: [5"), "utf-8")
    done = goldspan("eval", str(suite), cwd=tmp_path)
    assert done.returncode == 2
    assert f"{suite}:" in done.stderr


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    for flags in ([], ["--fresh"]):
        done = goldspan("demo", "--dir", str(tmp_path), *flags, cwd=tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "is no demo's folder" in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]
