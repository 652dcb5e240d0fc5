"""The way of a run stays small enough to be read in an hour; the rooms beside it stay rooms."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

HARNESS = Path(__file__).parents[2] / "harness" / "goldspan" / "harness"
EXAMPLES = ("patterns", "demo", "simulator")


def _lines(file: Path) -> int:
    return len(file.read_text(encoding="utf-8").splitlines())


def _imports(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    return {str(node.module) for node in found}


def test_the_way_of_a_run_is_about_2000_lines() -> None:
    assert sum(_lines(file) for file in HARNESS.glob("*.py")) <= 2100


def test_the_loop_is_under_200_lines() -> None:
    assert _lines(HARNESS / "loop.py") < 200


@pytest.mark.parametrize("example", EXAMPLES)
def test_nothing_but_examples_imports_an_example(example: str) -> None:
    users = [
        str(file.relative_to(HARNESS))
        for file in sorted(HARNESS.rglob("*.py"))
        if file.relative_to(HARNESS).parts[0] not in EXAMPLES
        for module in _imports(file)
        if module.startswith(f"goldspan.harness.{example}")
    ]
    assert users == []


def test_the_page_names_every_room() -> None:
    page = (HARNESS.parents[2] / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page.partition("**An hour's reading.**")[2].partition("## An experiment")[0]
    rooms = {path.parent.name for path in HARNESS.glob("*/__init__.py")}
    assert rooms == {room for room in rooms if f"`{room}/`" in table}
