"""`goldspan golden validate | list | add` as processes: what they print, and their exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from goldspan.golden import load_cases
from goldspan.tracing.instrument import instrument

GOOD = "cases:\n  - {id: one, input: x, tags: [edge], expect: {tools: {required: [look]}}}\n"
DOCS = Path(__file__).parents[2] / "docs" / "golden.md"


def golden(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from goldspan.cli import main; main()", "golden", *argv],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cases.yaml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def test_sound_cases_exit_0(folder: Path) -> None:
    done = golden(folder, "validate", "cases.yaml", "--tools", "look, write")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 case, no fault; digest ")


def test_every_fault_is_a_line_and_exits_2(folder: Path) -> None:
    (folder / "more.yaml").write_text("cases:\n  - id: two\n    inptu: x\n    expect: {}\n")
    done = golden(folder, "validate", ".", "none.yaml", "--tools", "lok")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "none.yaml: no such file of cases",
        "more.yaml:2: two: input: is missing",
        "more.yaml:3: two: inptu: unknown key (did you mean 'input'?)",
        "cases.yaml:2: one: expect.tools.required.0: unknown tool 'look' (did you mean 'lok'?)",
        "4 faults",
    ]


def test_faults_as_json(folder: Path) -> None:
    done = golden(folder, "validate", "cases.yaml", "--tools", "lok", "--json")
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert (told["valid"], told["cases"], told["digest"]) == (False, 1, None)
    (fault,) = told["faults"]
    assert (fault["line"], fault["case"]) == (2, "one")
    assert fault["field"] == "expect.tools.required.0"


def test_a_case_to_review_is_a_warning(folder: Path) -> None:
    (folder / "c.yaml").write_text("cases:\n- {id: a, input: x, expect: {},\n   review: true}\n")
    done = golden(folder, "validate", "c.yaml")
    assert done.returncode == 0
    assert done.stderr == "warning: c.yaml:3: a: waits for review\n"


def test_list_by_tag(folder: Path) -> None:
    done = golden(folder, "list", "cases.yaml", "--tag", "edge", "--json")
    (row,) = json.loads(done.stdout)
    assert row["id"] == "one"
    assert row["digest"] == load_cases([folder / "cases.yaml"]).cases[0].digest
    assert "one" in golden(folder, "list", "cases.yaml").stdout
    wrong = golden(folder, "list", "cases.yaml", "--tag", "edgy")
    assert wrong.returncode == 2
    assert wrong.stderr == "error: no case has the tag 'edgy' (did you mean 'edge'?)\n"


def test_a_faulty_file_is_one_line_for_list(folder: Path) -> None:
    (folder / "cases.yaml").write_text("cases:\n  - {id: one, expect: {a: 1}}\n")
    done = golden(folder, "list", "cases.yaml")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "cases.yaml:2: one: " in done.stderr
    assert "1 more fault" in done.stderr


def test_add_makes_a_file_and_never_overwrites(folder: Path) -> None:
    with instrument(store=folder / "s.duckdb", service_name="foreign") as telemetry:
        recorder = telemetry.recorder
        with recorder.agent("helper", run_id="run-7", version="2", input="What is open?") as span:
            with recorder.tool("search", arguments={"query": "open"}) as tool:
                tool.set_result(["a"])
            span.set_output("one thing")
        trace_id = span.trace_id

    printed = golden(folder, "add", trace_id, "--store", "s.duckdb")
    assert printed.returncode == 0, printed.stderr
    assert yaml.safe_load(printed.stdout)["cases"][0]["review"] is True

    made = golden(
        folder, "add", trace_id[:12], "--store", "s.duckdb", "--out", "new.yaml", "--json"
    )
    assert made.returncode == 0, made.stderr
    case = json.loads(made.stdout)["case"]
    assert case["input"] == "What is open?"
    assert case["expect"]["tools"] == {"order": ["search"]}
    assert case["expect"]["arguments"] == [{"tool": "search", "where": {"query": "open"}}]
    assert case["provenance"]["agent_version"] == "2"

    text = (folder / "new.yaml").read_text()
    again = golden(folder, "add", trace_id, "--store", "s.duckdb", "--out", "new.yaml")
    assert again.returncode == 2
    assert "is taken" in again.stderr
    assert (folder / "new.yaml").read_text() == text

    unknown = golden(folder, "add", "nosuch", "--store", "s.duckdb", "--out", "new.yaml")
    assert unknown.returncode == 2
    where = folder / "s.duckdb"
    newest = f"(the newest are {trace_id})"
    assert unknown.stderr == f"error: {where}: no trace 'nosuch' {newest}\n"

    grown = golden(folder, "add", trace_id, "--store", "s.duckdb", "--out", "cases.yaml")
    assert grown.returncode == 0, grown.stderr
    assert (folder / "cases.yaml").read_text().startswith(GOOD)
    assert golden(folder, "validate", "cases.yaml").returncode == 0


def test_no_store_is_one_line_and_makes_none(folder: Path) -> None:
    done = golden(folder, "add", "ab", "--store", "none.duckdb")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not (folder / "none.duckdb").exists()


def test_the_examples_of_the_docs_are_cases(tmp_path: Path) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    assert len(examples) >= 2
    for number, text in enumerate(examples):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
        assert load_cases([tmp_path / f"{number}.yaml"]).cases
    for line in re.findall(r"```jsonl\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL):
        (tmp_path / "x.jsonl").write_text(line, encoding="utf-8")
        assert load_cases([tmp_path / "x.jsonl"]).cases


def test_the_fault_that_the_docs_show_is_the_one_that_is_told(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    first = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[0]
    (tmp_path / "charges.yaml").write_text(first.replace("forbidden:", "forbiden:"))
    done = golden(tmp_path, "validate", "charges.yaml")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] in text
