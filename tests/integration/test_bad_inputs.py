"""Bad inputs, each through the real command: one clear line, the right exit code, no row lost."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from google.protobuf.json_format import MessageToJson
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from goldspan.harness.agents.bundled import bundled_agent

COMMAND = [sys.executable, "-c", "from goldspan.cli import main; main()"]
LIMITED = [
    sys.executable,
    "-c",
    "import resource, signal\n"
    "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
    "from goldspan.cli import main; main()",
]
COUNTS = "SELECT (SELECT count(*) FROM spans) AS spans, (SELECT count(*) FROM events) AS events"
KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY")
CASE = "  - id: {id}\n    input: hello\n    expect: {{answer: {{regex: ['^HELLO$']}}}}\n"
SUITE = (
    "name: words\ntarget: targets:upper\ncases: [{cases}]\nscorers:\n  - outcome\n  - {scorer}\n"
)


class Bad(NamedTuple):
    """A command line, what it exits with, and what the one line on stderr says."""

    argv: str
    says: tuple[str, ...]
    code: int = 2


TABLE = {
    "unknown provider": Bad(
        "run {agent} hello --model nonsense:model -s {store}",
        ("model nonsense:model", "no such model", "provider:name"),
    ),
    "model without its key": Bad(
        "run {agent} hello --model openai:no-such-model -s {store}",
        ("model openai:no-such-model", "OPENAI_API_KEY is not set"),
    ),
    "ingest into a directory": Bad("ingest whole.pb -s folder", ("folder", "is a directory")),
    "not OTLP": Bad("ingest notes.txt -s {store}", ("notes.txt", "is not OTLP")),
    "a good file and one that is not OTLP": Bad(
        "ingest whole.pb notes.txt -s {store}", ("notes.txt", "is not OTLP")
    ),
    "half a protobuf file": Bad("ingest half.pb -s {store}", ("half.pb", "is cut off")),
    "half a JSON file": Bad("ingest half.json -s {store}", ("half.json", "not whole JSON")),
    "a case with a wrong field": Bad(
        "eval wrong_field.yaml -s {store}",
        ("wrong_field_cases.yaml:4", "answr", "did you mean 'answer'?"),
    ),
    "a case id twice": Bad(
        "eval twice.yaml -s {store}",
        ("twice_cases.yaml:5", "'same' is there twice", "twice_cases.yaml:2"),
    ),
    "an unknown scorer": Bad(
        "eval scorer.yaml -s {store}", ("scorer.yaml:6", "'anwser'", "did you mean 'answer'?")
    ),
    "an unknown tool": Bad(
        "eval tool.yaml -s {store}",
        ("tool_cases.yaml:4", "'get_acount'", "did you mean 'get_account'?"),
    ),
    "JUnit below a file": Bad(
        "eval suite.yaml -s {store} --junit notes.txt/junit.xml",
        ("notes.txt/junit.xml", "a folder of its path is a regular file", "name a file"),
    ),
    "an export below a file": Bad(
        "export --parquet notes.txt/parquet -s {store}",
        ("notes.txt/parquet", "a folder of its path is a regular file", "name a folder"),
    ),
    "a report below a file": Bad(
        "report --since 3650d --out notes.txt/reports -s {store}",
        ("notes.txt/reports/report.md", "a folder of its path is a regular file"),
    ),
    "a store below a file": Bad("ingest whole.pb -s notes.txt/s.duckdb", ("notes.txt/s.duckdb",)),
    "a store that is text": Bad("ingest whole.pb -s notes.txt", ("notes.txt", "not a DuckDB")),
    "a store that is a server": Bad(
        "ingest whole.pb -s http://127.0.0.1:9", ("no server answers",)
    ),
    "a store that is a device": Bad("ingest whole.pb -s /dev/null", ("/dev/null", "regular file")),
    "a suite that is no text": Bad("eval binary.yaml -s {store}", ("binary.yaml:2", "not UTF-8")),
    "rules that are no text": Bad(
        "monitor check --config binary.yaml -s {store}", ("binary.yaml:2", "not UTF-8")
    ),
    "a queue with an impossible date": Bad(
        "run {agent} --queue date.yaml -s {store}", ("date.yaml", "is not YAML", "month")
    ),
    "a baseline that is none": Bad(
        "eval suite.yaml -s {store} --baseline whole.json", ("whole.json", "is no baseline")
    ),
    "an unknown case": Bad("eval suite.yaml -s {store} --case nobody", ("'nobody'", "hello")),
    "an SQL statement that writes": Bad(
        "sql 'DROP TABLE spans' -s {store}",
        ("DROP is not allowed", "write one SELECT"),
    ),
}
FULL = {
    "ingest": "ingest many.json -s {store}",
    "simulate": "simulate --days 1 --runs-per-day 200 -s {store}",
    "eval": "eval suite.yaml -s {store}",
    "a new store": "ingest whole.pb -s {folder}/new.duckdb",
}


def goldspan(
    argv: str, cwd: Path, command: list[str] = COMMAND, **names: Path
) -> subprocess.CompletedProcess[str]:
    """Run a command line; words such as {store} stand for paths."""
    words = [word.format(**names) for word in shlex.split(argv)]
    env = {k: v for k, v in os.environ.items() if k not in KEYS and not k.startswith("GOLDSPAN_")}
    return subprocess.run(
        [*command, *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**env, "PYTHONPATH": str(cwd)},
    )


def rows_in(store: Path) -> dict[str, int]:
    done = goldspan(f"sql --json -s {{store}} '{COUNTS}'", store.parent, store=store)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    return dict(row)


def assert_one_clear_error(
    done: subprocess.CompletedProcess[str], code: int, says: tuple[str, ...]
) -> None:
    assert done.returncode == code, done.stderr + done.stdout
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1, done.stderr
    assert len(done.stderr) < 400
    assert "Traceback" not in done.stderr + done.stdout
    assert [what for what in says if what not in done.stderr] == [], done.stderr


def traffic(spans: int, padding: int = 0) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for number in range(1, spans + 1):
        span = scope.spans.add(name=f"chat {number}")
        span.trace_id, span.span_id = number.to_bytes(16), number.to_bytes(8)
        span.start_time_unix_nano = 1_790_000_000_000_000_000
        span.end_time_unix_nano = span.start_time_unix_nano + 1_000_000_000
        entry = span.attributes.add(key="padding")
        entry.value.string_value = os.urandom(padding).hex()
    return request


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good and bad files, and a store with some rows."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "folder").mkdir()
    (folder / "notes.txt").write_text("these are notes\n")
    (folder / "binary.yaml").write_bytes(b"name: words\n\x80\xff\x00\n")
    (folder / "date.yaml").write_text("tasks:\n  - {id: a, input: b, now: 2026-99-99}\n")
    whole = traffic(20)
    body, text = whole.SerializeToString(), MessageToJson(whole)
    (folder / "whole.pb").write_bytes(body)
    (folder / "whole.json").write_text(text)
    (folder / "half.pb").write_bytes(body[: len(body) // 2])
    (folder / "half.json").write_text(text[: len(text) // 2])
    (folder / "many.json").write_text(MessageToJson(traffic(2000, padding=1000)))
    (folder / "targets.py").write_text("def upper(text): return text.upper()\n")
    case = CASE.format(id="hello")
    cases = {
        "suite": case,
        "wrong_field": case.replace("answer:", "answr:"),
        "twice": CASE.format(id="same") * 2,
        "scorer": case,
        "tool": case.replace("answer: {regex: ['^HELLO$']}", "tools: {required: [get_acount]}"),
    }
    for name, rows in cases.items():
        (folder / f"{name}_cases.yaml").write_text(f"cases:\n{rows}")
        scorer = "anwser" if name == "scorer" else "answer"
        suite = SUITE.format(cases=f"{name}_cases.yaml", scorer=scorer)
        if name == "tool":
            suite = suite.replace("target: targets:upper", "agent: support-desk")
        (folder / f"{name}.yaml").write_text(suite)
    done = goldspan("ingest whole.pb -s {store}", folder, store=folder / "s.duckdb")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def stored(inputs: Path) -> dict[str, int]:
    return rows_in(inputs / "s.duckdb")


@pytest.fixture
def full_disk(tmp_path: Path, inputs: Path) -> Iterator[tuple[Path, list[str]]]:
    """A folder with a copy of the store and no room, and the command that is to meet it.

    A full tmpfs where a file system may be mounted, else a limit on the size of files.
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = mount(folder)
    shutil.copy(inputs / "s.duckdb", folder)
    if mounted:
        fill(folder / "filler")
    try:
        yield folder, COMMAND if mounted else LIMITED
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)


def mount(folder: Path) -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    argv = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(bytes(4096)):
            pass


@pytest.mark.parametrize("name", TABLE)
def test_a_bad_input_is_one_clear_error(name: str, inputs: Path, stored: dict[str, int]) -> None:
    bad = TABLE[name]
    store, agent = inputs / "s.duckdb", bundled_agent("support-desk")
    notes = (inputs / "notes.txt").read_text()
    assert_one_clear_error(goldspan(bad.argv, inputs, store=store, agent=agent), bad.code, bad.says)
    if "{store}" in bad.argv:
        assert rows_in(store) == stored
    assert (inputs / "notes.txt").read_text() == notes


@pytest.mark.parametrize("name", FULL)
def test_a_full_disk_is_told_and_loses_nothing(
    name: str, inputs: Path, stored: dict[str, int], full_disk: tuple[Path, list[str]]
) -> None:
    folder, command = full_disk
    store = folder / "s.duckdb"
    done = goldspan(FULL[name], inputs, command, store=store, folder=folder)
    assert_one_clear_error(done, 4, (str(folder), "there is no room"))
    assert rows_in(store) == stored
    assert not (folder / "new.duckdb").exists()


def test_output_onto_a_full_disk_is_told(inputs: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "sql", "--json", "SELECT 1", "-s", "s.duckdb"],
            cwd=inputs,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (done.returncode, done.stderr) == (
        2,
        "error: standard output: No space left on device\n",
    )
