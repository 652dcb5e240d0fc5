"""Queries in files: found by package, each with its question."""

from __future__ import annotations

import pytest

from goldspan.tracing.sql_files import sql_names, sql_text

ASKING = (
    "goldspan.tracing.store.queries",
    "goldspan.golden.queries",
    "goldspan.harness.ledger.queries",
    "goldspan.harness.replay.queries",
    "goldspan.evals.queries",
    "goldspan.evals.maturity.queries",
    "goldspan.evals.monitors.queries",
    "goldspan.dashboards.queries",
    "goldspan.dashboards.incident.queries",
    "goldspan.dashboards.reports.queries",
)


@pytest.mark.parametrize("package", ASKING)
def test_each_package_has_its_queries_and_each_asks_something(package: str) -> None:
    names = sql_names(package)
    assert names == sorted(names)
    assert names
    for name in names:
        first = sql_text(package, name).splitlines()[0]
        assert first.startswith("-- "), name
        assert "?" in sql_text(package, name).split("\n\n")[0], name


def test_a_query_that_is_not_there_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        sql_text("goldspan.evals.queries", "none")
