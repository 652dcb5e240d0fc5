"""docs/a-day.md: the day is played once, and each sentence of the page is an assertion on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from tests.day import evening, morning, noon
from tests.day.day import Day
from tests.day.page import sentences
from tests.day.play import played
from tests.day.says import SAYS

ASSERTING = (morning, noon, evening)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with played(tmp_path_factory.mktemp("office")) as over:
        yield over


def test_every_sentence_has_its_assertion_and_every_assertion_its_sentence() -> None:
    assert [said for said, mark in sentences() if mark is None] == []
    marks = Counter(mark for _, mark in sentences())
    assert marks == Counter(list(SAYS))


def test_a_sentence_without_a_mark_and_a_mark_without_a_sentence_are_found() -> None:
    text = "# A\n\nBefore.\n\n## 08:00 X\n\nIt is `a.b` 0.2 s. <!-- 0800-a --> More!\n\n"
    text += "```\nno. x\n```\nEnd. <!-- 0800-b -->\n"
    assert sentences(text) == [
        ("It is `a.b` 0.2 s.", "0800-a"),
        ("More!", None),
        ("End.", "0800-b"),
    ]


@pytest.mark.parametrize("mark", [mark for _, mark in sentences() if mark in SAYS])
def test_the_day_is_as_the_page_says(day: Day, mark: str) -> None:
    SAYS[mark](day)
