"""Numbers are shown in a person's units; what is unknown is never shown as zero."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pytest

from goldspan.dashboards import display


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "—"),
        (float("nan"), "—"),
        (pd.NA, "—"),
        (0, "$0"),
        (0.00031, "$0.00031"),
        (0.0000061, "$0.0000061"),
        (0.0123, "$0.0123"),
        (1234.5, "$1,234.50"),
    ],
)
def test_usd(value: object, shown: str) -> None:
    assert display.usd(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "—"),
        (0.4, "0.4 ms"),
        (312.4, "312 ms"),
        (3140, "3.1 s"),
        (59_999, "1 min 00 s"),
        (125_000, "2 min 05 s"),
        (3_900_000, "1 h 05 min"),
    ],
)
def test_duration(value: object, shown: str) -> None:
    assert display.duration(value) == shown


def test_counts_shares_and_points() -> None:
    assert [display.count(n) for n in (None, 7, 9_999, 12_345, 2_500_000)] == [
        "—",
        "7",
        "9,999",
        "12.3k",
        "2.5M",
    ]
    assert (display.share(0.255), display.share(None)) == ("26%", "—")
    assert [display.points(d) for d in (-0.2, 0.0, 0.15, None)] == [
        "-20 pts",
        "0 pts",
        "+15 pts",
        "—",
    ]


def test_times_are_utc() -> None:
    at = datetime(2026, 11, 17, 9, 5, 1, tzinfo=UTC)
    assert display.moment(at) == "2026-11-17 09:05:01"
    assert display.moment(pd.Timestamp(at).tz_convert("Asia/Tokyo")) == "2026-11-17 09:05:01"
    assert display.moment(pd.NaT) == "—"


def test_text_for_a_markdown_place_has_no_markup_left() -> None:
    assert display.plain("a ![x](http://e) $b$ :red[c] <img>") == (
        r"a \!\[x\]\(http\://e\) \$b\$ \:red\[c\] \<img\>"
    )


def test_json_is_indented_and_other_text_is_kept() -> None:
    assert display.pretty('{"a": 1}') == '{\n  "a": 1\n}'
    assert display.pretty("not json") == "not json"
    assert display.pretty({"ü": None}) == '{\n  "ü": null\n}'
    assert display.line("a\n  b " + "c" * 200, 10) == "a b ccccc…"
