"""The command line as a whole: light help, every command has one, README's commands work."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from goldspan.cli.app import app

ROOT = Path(__file__).parents[2]
HEAVY = (
    "pandas", "duckdb", "pyarrow", "streamlit", "deepeval", "pydantic_ai", "pydantic", "scipy",
    "numpy", "opentelemetry", "yaml", "openai", "anthropic", "dbos", "sqlalchemy", "psycopg",
)  # fmt: skip


def goldspan(*argv: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from goldspan.cli import main; main()", *argv],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "120"},
    )


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, contextlib\n"
        "from goldspan.cli import main\n"
        "sys.argv = ['goldspan', '--help']\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Usage" in done.stdout
    assert set(done.stderr.split()) & set(HEAVY) == set()


def test_every_command_and_option_has_help() -> None:
    def walk(command: object, name: str) -> list[str]:
        missing = []
        if not getattr(command, "help", None):
            missing.append(name)
        parameters = getattr(command, "params", [])
        missing += [f"{name} {p.name}" for p in parameters if not getattr(p, "help", None)]
        for sub, inner in getattr(command, "commands", {}).items():
            missing += walk(inner, f"{name} {sub}")
        return missing

    assert walk(typer.main.get_command(app), "goldspan") == []


def test_version() -> None:
    done = goldspan("--version")
    assert (done.returncode, done.stdout[:9]) == (0, "goldspan ")


@pytest.mark.parametrize("argv", [["nothing"], ["sql"], ["sql", "--frob", "x"]])
def test_wrong_use_is_one_line_and_exit_2(argv: list[str]) -> None:
    done = goldspan(*argv)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1


def test_readmes_example_and_commands_work(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    subprocess.run([sys.executable, "-c", example], cwd=tmp_path, check=True)
    blocks = re.findall(r"```console\n(.*?)```", readme, re.DOTALL)
    commands = [
        line[2:].split(" # ")[0].strip()
        for block in blocks
        for line in block.splitlines()
        if line.startswith("$ goldspan ")
    ]
    ran = []
    for command in commands:
        argv = shlex.split(command)[1:]
        if argv[0] in ("sql", "export"):
            done = goldspan(*argv, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            ran.append((argv[0], done.stdout))
        else:  # these need files of the reader's, or stay open: their options must exist
            options = goldspan(argv[0], "--help").stdout
            assert all(word in options for word in argv if word.startswith("--"))
    assert "multiply" in dict(ran)["sql"]
    assert {p.suffix for p in (tmp_path / "out").iterdir()} == {".parquet"}
