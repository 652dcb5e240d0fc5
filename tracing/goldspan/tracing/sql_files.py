"""Queries in files: `.sql`, one question each, in the folder of the package that asks them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def sql_text(package: str, name: str) -> str:
    """The text of `<name>.sql` in a package's folder. Raises `FileNotFoundError` for none."""
    return files(package).joinpath(f"{name}.sql").read_text("utf-8")


def sql_names(package: str) -> list[str]:
    """Every query there, sorted."""
    found = files(package).iterdir()
    return sorted(file.name[:-4] for file in found if file.name.endswith(".sql"))
