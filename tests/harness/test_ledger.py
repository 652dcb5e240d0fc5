"""The ledger: limits that hold whatever happens, intents that are judged once."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goldspan.harness.ledger import Admission, Intent, Ledger, Settlement, Want
from goldspan.harness.ledger.database import query_names
from goldspan.tracing.errors import ConfigError, StoreError
from tests.postgres import new_database

RUN = "run:r"


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    if request.param == "postgresql":
        url = new_database()
    with ExitStack() as stack:

        def open_one() -> Ledger:
            return stack.enter_context(closing(Ledger(url)))

        yield open_one


def want(amount: float = 1, limit: float = 10, scope: str = RUN, unit: str = "n") -> Want:
    return Want(scope, unit, amount, limit, "budget")


def intent(step: int, *, run: str = "r", tool: str = "t", **more: Any) -> Intent:
    return Intent.of(run, step, tool, {"n": step}, agent="desk", **more)


def test_a_call_is_fresh_once_and_reserves_once(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    assert ledger.admit(intent(0), [want(3)]) == Admission("admitted", fresh=True)
    again = opened().admit(intent(0), [want(3)])
    assert (again.standing, again.fresh) == ("admitted", False)
    assert ledger.used(RUN, "n") == (3, 10)


def test_a_call_beyond_a_limit_takes_nothing_of_any_and_stays_refused(
    opened: Callable[[], Ledger],
) -> None:
    ledger = opened()
    wants = [want(1, 10, unit="a"), want(5, 4, unit="b")]
    refused = ledger.admit(intent(0), wants)
    assert (refused.standing, refused.guard, refused.ruling) == ("refused", "budget", "stop")
    assert refused.reason == "5 b wanted, 4 left of the limit of 4 (run:r)"
    assert ledger.used(RUN, "a") is None
    assert ledger.admit(intent(0), [want(1, 99, unit="b")]) == refused


def test_a_limit_that_was_raised_has_room_again(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    ledger.admit(intent(0), [want(10)])
    assert ledger.admit(intent(1), [want(1)]).standing == "refused"
    assert ledger.admit(intent(2), [want(1, 11)]).standing == "admitted"
    assert ledger.used(RUN, "n") == (11, 11)


def test_a_settlement_counts_once_also_beyond_the_limit(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    ledger.admit(intent(0), [want(4), want(1, 10, unit="calls")])
    for _ in range(2):
        ledger.settle([Settlement(intent(0).key, {"n": 1.5})])
    assert ledger.used(RUN, "n") == (1.5, 10)
    assert ledger.used(RUN, "calls") == (1, 10)
    ledger.admit(intent(1), [want(8)], [Settlement("nothing")])
    ledger.admit(intent(2), [], [Settlement(intent(1).key, {"n": 20})])
    assert ledger.used(RUN, "n") == (21.5, 10)
    assert ledger.admit(intent(3), [want(0.1)]).standing == "refused"


def test_a_settlement_that_rides_with_a_refused_call_counts(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    ledger.admit(intent(0), [want(10)])
    assert ledger.admit(intent(1), [want(5)], [Settlement(intent(0).key, {"n": 6})]).standing == (
        "refused"
    )
    assert ledger.used(RUN, "n") == (6, 10)


@pytest.mark.parametrize("scope", ["all", RUN, "agent:desk"])
def test_a_kill_flag_stops_new_and_admitted_calls_and_is_not_kept(
    opened: Callable[[], Ledger], scope: str
) -> None:
    ledger = opened()
    ledger.admit(intent(0))
    _sql(ledger, f"INSERT INTO goldspan_kills VALUES ('{scope}', 'ana', 'wrong refunds', 1)")
    for step in (0, 1):
        stopped = ledger.admit(intent(step), [want()])
        assert stopped.standing == "killed"
        assert stopped.reason == f"stopped by ana ({scope}): wrong refunds"
    assert ledger.kill_flags() == {scope: f"stopped by ana ({scope}): wrong refunds"}
    if scope != "all":
        other = Intent.of("other", 0, "t", {}, agent="other")
        assert ledger.admit(other).standing == "admitted"
    _sql(ledger, "DELETE FROM goldspan_kills")
    assert ledger.admit(intent(0)).standing == "admitted"
    assert ledger.admit(intent(1), [want()]) == Admission("admitted", fresh=True)


def test_an_open_breaker_stops_its_tool_alone_and_lets_the_probe_through(
    opened: Callable[[], Ledger],
) -> None:
    ledger = opened()
    _sql(
        ledger,
        "INSERT INTO goldspan_breakers (tool, state, probe_key)"
        f" VALUES ('t', 'open', NULL), ('u', 'half', '{intent(1, tool='u').key}')",
    )
    assert ledger.admit(intent(0)).standing == "open"
    assert ledger.admit(intent(1, tool="u")).standing == "admitted"
    assert ledger.admit(intent(2, tool="u")).standing == "open"
    assert ledger.admit(intent(3, tool="v")).standing == "admitted"
    _sql(ledger, "UPDATE goldspan_breakers SET state = 'closed'")
    assert ledger.admit(intent(0)) == Admission("admitted", fresh=True)


def test_an_approval_is_used_once_and_only_for_the_exact_call(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    exact = Intent.of("r", 1, "send", {"to": "a"}, approval="ap")
    _sql(
        ledger,
        "INSERT INTO goldspan_approvals (id, run_id, digest, kind, proposal, state, asked_at)"
        f" VALUES ('ap', 'r', '{exact.digest}', 'reviewer', '{{}}', 'approved', 1)",
    )
    changed = ledger.admit(Intent.of("r", 0, "send", {"to": "b"}, approval="ap"))
    assert (changed.standing, changed.guard, changed.ruling) == ("refused", "approval", "deny")
    assert ledger.admit(exact) == Admission("admitted", fresh=True)
    assert ledger.admit(exact).standing == "admitted"
    assert ledger.admit(Intent.of("r", 2, "send", {"to": "a"}, approval="ap")).standing == "refused"


def test_what_a_guard_refused_stays_refused_and_what_was_admitted_admitted(
    opened: Callable[[], Ledger],
) -> None:
    ledger = opened()
    ledger.admit(intent(0))
    assert ledger.refuse(intent(0), "loop", "stop", "again").standing == "admitted"
    refused = ledger.refuse(intent(1), "scope", "deny", "no such tool")
    assert refused == Admission("refused", False, "scope", "deny", "no such tool")
    assert ledger.admit(intent(1)) == refused


def test_what_a_person_says_of_an_unknown_call_is_said_once(opened: Callable[[], Ledger]) -> None:
    ledger = opened()
    ledger.admit(intent(0))
    assert ledger.resolution(intent(0).key) is None
    assert ledger.resolve(intent(0).key, {"made": False})
    assert not ledger.resolve(intent(0).key, {"result": 1})
    assert ledger.resolution(intent(0).key) == {"made": False}


def test_threads_cannot_race_past_a_limit(opened: Callable[[], Ledger]) -> None:
    counts: Counter[str] = Counter()
    ledgers = [opened() for _ in range(3)]

    def work(ledger: Ledger, run: str) -> None:
        for step in range(20):
            one = ledger.admit(intent(step, run=run), [want(1, 100, "cap:refund"), want(1, 20)])
            counts[one.standing] += 1

    threads = [
        threading.Thread(target=work, args=(ledger, f"{place}/{n}"))
        for place, ledger in enumerate(ledgers)
        for n in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == {"admitted": 20, "refused": 160}
    assert ledgers[0].used("cap:refund", "n") == (20, 100)


AMOUNTS = st.integers(0, 9)
ACTS = st.one_of(
    st.tuples(st.just("admit"), st.integers(0, 12), st.lists(AMOUNTS, max_size=3)),
    st.tuples(st.just("settle"), st.integers(0, 12), AMOUNTS),
    st.tuples(st.just("refuse"), st.integers(0, 12), st.just(0)),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(ACTS, max_size=40))
def test_any_order_of_acts_keeps_used_the_sum_of_what_was_taken(acts: list[Any]) -> None:
    ledger, limit = Ledger(), 20
    reserved: dict[int, list[int]] = {}
    refused: set[int] = set()
    settled: dict[int, int] = {}
    for act, step, given_amounts in acts:
        if act == "admit":
            wants = [want(a, limit, unit=f"u{n}") for n, a in enumerate(given_amounts)]
            answer = ledger.admit(intent(step), wants)
            if answer.fresh:
                assert step not in reserved
                reserved[step] = given_amounts
            elif answer.standing == "refused":
                refused.add(step)
        elif act == "refuse" and ledger.refuse(intent(step), "g", "deny", "").standing == "refused":
            refused.add(step)
        elif act == "settle":
            ledger.settle([Settlement(intent(step).key, {"u0": given_amounts})])
            if step in reserved:
                settled.setdefault(step, given_amounts)
        assert not refused & reserved.keys()
        for n in range(3):
            total = sum(
                settled[s] if n == 0 and s in settled else amounts[n]
                for s, amounts in reserved.items()
                if len(amounts) > n
            )
            used = ledger.used(RUN, f"u{n}")
            assert (0 if used is None else used[0]) == total
            assert n == 0 or total <= limit


def test_the_database_itself_refuses_more_than_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(Ledger(f"sqlite:///{path}")) as ledger:
        ledger.admit(intent(0), [want(10)])
    with (
        sqlite3.connect(path) as connection,
        pytest.raises(sqlite3.IntegrityError, match="used <= lim"),
    ):
        connection.execute("UPDATE goldspan_limits SET used = 11")
    connection.close()


def test_the_file_is_for_its_owner_alone_and_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.db"
    Ledger(f"sqlite:///{path}").close()
    assert path.stat().st_mode & 0o777 == 0o600
    Ledger(f"sqlite:///{path}").close()


def test_every_query_says_its_question_and_is_used() -> None:
    folder = Path(__file__).parents[2] / "harness" / "goldspan" / "harness"
    code = "".join(path.read_text("utf-8") for path in folder.rglob("*.py"))
    for name in query_names():
        first = (folder / "ledger" / "queries" / f"{name}.sql").read_text("utf-8").splitlines()[0]
        assert first.startswith("-- "), name
        assert "?" in first, name
        assert f'"{name}"' in code, name


def test_a_database_that_cannot_be_had_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"mysql://: is neither sqlite"):
        Ledger("mysql://user:secret@host/db")
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be opened"):
        Ledger(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")
    with pytest.raises(StoreError, match="cannot be reached") as caught:
        Ledger("postgresql://user:secret@127.0.0.1:1/db")
    assert "secret" not in str(caught.value)


def _sql(ledger: Ledger, text: str) -> None:
    with ledger.transaction() as tx:
        tx.execute(text)  # type: ignore[attr-defined]  # a test's way to what has no query yet


def test_processes_may_make_the_file_at_the_same_moment(tmp_path: Path) -> None:
    together = threading.Barrier(4)

    def make(url: str) -> None:
        together.wait()
        Ledger(url).close()

    with ThreadPoolExecutor(4) as pool:
        for number in range(40):  # one in ten came to grief before it was waited for
            list(pool.map(make, [f"sqlite:///{tmp_path / str(number)}.db"] * 4))
