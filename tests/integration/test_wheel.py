"""The wheel as users get it: built, installed into a new environment, used outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("tracing", "golden", "harness", "evals", "dashboards")


pytestmark = pytest.mark.install


def run(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if not k.startswith(("GOLDSPAN_", "PYTHON"))}
    return subprocess.run(
        [str(part) for part in argv], cwd=cwd, capture_output=True, text=True, check=False, env=env
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    done = run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    if done.returncode and "CI" not in os.environ:
        pytest.skip(f"the wheel cannot be built here: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("goldspan-*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with the wheel, on the other packages that are installed
    here: a path file shows them to it, and not this checkout."""
    home = tmp_path_factory.mktemp("env")
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    done = run(*pip, "--no-deps", wheel, cwd=home)
    assert done.returncode == 0, done.stderr
    (own,) = home.glob("lib/python*/site-packages")
    (own / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    return python


def test_nothing_but_goldspan_is_at_top_level(wheel: Path) -> None:
    names = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == {"goldspan"}


def test_installed_parts_are_those_of_the_wheel(python: Path) -> None:
    code = (
        "import importlib.util, json;"
        f"print(json.dumps([n for n in {PARTS!r} if importlib.util.find_spec(n)]))"
    )
    done = run(python, "-c", code, cwd=python.parent)
    assert json.loads(done.stdout) == []


def test_what_runs_is_the_wheel(python: Path) -> None:
    code = "import goldspan.cli; print(list(goldspan.__path__))"
    done = run(python, "-c", code, cwd=python.parent)
    assert done.stdout.strip() == str(
        [str(next(python.parents[1].glob("lib/*/site-packages/goldspan")))]
    )


def test_the_demo_works_outside_the_checkout(python: Path, tmp_path: Path) -> None:
    done = run(python.with_name("goldspan"), "demo", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    verdicts = [each["verdict"] for each in json.loads(done.stdout)["evals"]]
    assert verdicts == ["measured", "pass", "regression", "pass"]
    assert (tmp_path / "goldspan-demo" / "reports" / "batch" / "report.html").is_file()


def test_plain_goldspan_brings_neither_streamlit_nor_deepeval(python: Path, wheel: Path) -> None:
    def chosen(what: str) -> set[str]:
        done = run(
            *(python, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"),
            *("--report", "-", what),
            cwd=python.parent,
        )
        assert done.returncode == 0, done.stderr
        return {item["metadata"]["name"].lower() for item in json.loads(done.stdout)["install"]}

    plain = chosen(str(wheel))
    assert {"goldspan", "duckdb", "opentelemetry-sdk"} <= plain
    assert not plain & {"streamlit", "deepeval", "altair", "scipy"}
