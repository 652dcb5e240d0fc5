"""The support desk's queue, with workers killed at step boundaries and at moments of chance."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from goldspan.harness.engine import EngineConfig, enqueue_from_outside
from goldspan.tracing import semconv
from tests.chaos.desk_facts import Facts, Records, spans_of_effects, stored_events
from tests.chaos.desk_queue import DeskQueue
from tests.chaos.desk_worker import Place, fork
from tests.chaos.processes import waited
from tests.chaos.reaper import POINTS, Reaper
from tests.postgres import new_database

pytestmark = pytest.mark.chaos

KILLS = 10 * int(os.environ.get("GOLDSPAN_CHAOS_ROUNDS", "2"))
PATIENCE_S = 300.0
ON_SQLITE = KILLS * 3 // 5
WRITING = ("post_note", "draft_reply", "send_reply", "issue_refund", "ask_question")
EFFECTS = "|".join(f"tool:{name}" for name in WRITING)
# Steps without an intent have the last three points only.
BOUNDARIES = [
    *((point, EFFECTS) for point in POINTS),
    *((point, "wait:*") for point in POINTS[2:]),
    *((point, "model") for point in POINTS),
    *((point, what) for what in ("last gate", "prepare", "tool:*") for point in POINTS[2:]),
]


@dataclass
class Kills:
    """The kills that are still to be made: two at boundaries, one by chance, and so on.

    One by chance is so many seconds after its worker has begun to take runs.
    """

    rng: random.Random
    left: list[Reaper | float] = field(default_factory=list)
    made: Counter[str] = field(default_factory=Counter)
    figures: Counter[str] = field(default_factory=Counter)

    @classmethod
    def planned(cls, count: int, *, first: int, seed: int) -> Kills:
        """So many; `first` says at which of the boundaries they begin."""
        kills = cls(random.Random(seed))
        for n in range(count):
            point, what = BOUNDARIES[(first + n - n // 3) % len(BOUNDARIES)]
            kills.left.append(
                kills.rng.uniform(0, 0.5)
                if n % 3 == 2
                else Reaper(point, what, kills.rng.choice((1, 1, 2)))
            )
        return kills


@dataclass
class Post:
    """A worker's place, and how the worker in it is to die."""

    process: ForkServerProcess
    plan: Reaper | float | None
    since: float | None = None


@dataclass
class Shift:
    """One queue, worked through by `size` workers at a time; one that dies is replaced at once."""

    queue: DeskQueue
    place: Place
    size: int
    kills: Kills
    posts: list[Post] = field(default_factory=list)
    decided: list[str] = field(default_factory=list)

    def work(self, records: Records) -> None:
        self.queue.write_cassette(self.place.cassette)
        enqueue_from_outside(EngineConfig(self.place.url), self.queue.specs)
        patience = time.monotonic() + PATIENCE_S
        try:
            while not self._done(records):
                assert time.monotonic() < patience, f"it does not end: {self.place.said()}"
                self._replace_the_dead()
                self.decided += self.queue.decide_waiting(records.ledger)
                time.sleep(0.02)
            for post in self.posts:
                if post.plan is not None:
                    self.kills.left.insert(0, post.plan)
                waited(self.place.ready(post.process.pid or 0).exists)
                post.process.terminate()
            for post in self.posts:
                post.process.join(30)
                if post.process.exitcode is None:
                    os.kill(post.process.pid or 0, signal.SIGUSR1)  # says where it stands
                    time.sleep(1)
                assert post.process.exitcode == 0, self.place.said()
        finally:
            for post in self.posts:
                post.process.kill()
                post.process.join()

    def _done(self, records: Records) -> bool:
        """Whether each run has ended, or waits for somebody who does not come."""
        statuses = records.statuses([spec.run_id for spec in self.queue.specs])
        waiting = [run for run, status in statuses.items() if status == "CANCELLED"]
        if any(self.queue.decides(run) is not None for run in waiting):
            return False
        return len(statuses) == len(self.queue.specs) and set(statuses.values()) <= {
            "SUCCESS",
            "ERROR",
            "CANCELLED",
        }

    def _replace_the_dead(self) -> None:
        for post in self.posts:
            if isinstance(post.plan, float):
                self._strike(post)
        for post in [post for post in self.posts if not post.process.is_alive()]:
            assert post.process.exitcode == -9, self.place.said()
            assert post.plan is not None
            self.kills.made[_name(post.plan)] += 1
            self.posts.remove(post)
        while len(self.posts) < self.size:
            plan = self.kills.left.pop(0) if self.kills.left else None
            reaper = plan if isinstance(plan, Reaper) else None
            self.posts.append(Post(fork(self.place, reaper), plan))

    def _strike(self, post: Post) -> None:
        assert isinstance(post.plan, float)
        assert post.process.pid is not None
        if post.since is None and self.place.ready(post.process.pid).exists():
            post.since = time.monotonic()
        if post.since is not None and time.monotonic() - post.since >= post.plan:
            post.process.kill()
            post.process.join()


def _name(plan: Reaper | float) -> str:
    if isinstance(plan, float):
        return "chance"
    return f"{plan.point}, {'effect' if plan.what == EFFECTS else plan.what}"


@pytest.fixture(scope="module")
def queue() -> DeskQueue:
    return DeskQueue()


@pytest.fixture(scope="module")
def undisturbed(queue: DeskQueue, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    folder = tmp_path_factory.mktemp("undisturbed")
    place = Place(f"sqlite:///{folder / 'engine.db'}", folder)
    shift = Shift(queue, place, 1, Kills(random.Random(0)))
    with closing(Records(place)) as records:
        shift.work(records)
        facts = records.facts()
    return facts


def test_the_undisturbed_queue_does_what_there_is_to_disturb(undisturbed: Facts) -> None:
    ends = Counter(run["outcome"] or run["state"] for run in undisturbed.runs.values())
    assert ends == {"completed": 17, "parked": 3}
    assert undisturbed.effects == {
        "post_note": 3,
        "draft_reply": 4,
        "send_reply": 2,
        "issue_refund": 4,
        "ask_question": 1,
    }
    assert Counter(row["state"] for row in undisturbed.approvals.values()) == {
        "asked": 3,
        "denied": 1,
        "used": 7,
    }


def test_one_worker_on_sqlite(tmp_path: Path, queue: DeskQueue, undisturbed: Facts) -> None:
    kills = Kills.planned(ON_SQLITE, first=0, seed=5)
    for folder in _folders(tmp_path, kills):
        place = Place(f"sqlite:///{folder / 'engine.db'}", folder)
        _work_and_compare(Shift(queue, place, 1, kills), undisturbed)
    assert kills.made.total() == ON_SQLITE


def test_two_workers_on_postgresql(tmp_path: Path, queue: DeskQueue, undisturbed: Facts) -> None:
    kills = Kills.planned(KILLS - ON_SQLITE, first=8, seed=6)
    for folder in _folders(tmp_path, kills):
        _work_and_compare(Shift(queue, Place(new_database(), folder), 2, kills), undisturbed)
    assert kills.made.total() == KILLS - ON_SQLITE


def _folders(tmp_path: Path, kills: Kills) -> Iterator[Path]:
    """A folder for one more queue, as long as there are kills left."""
    for number in range(KILLS):  # each queue has room for at least one
        if not kills.left:
            print(f"\n{kills.made.total()} kills: {dict(kills.made)}; {dict(kills.figures)}")
            return
        folder = tmp_path / str(number)
        folder.mkdir()
        yield folder


def _work_and_compare(shift: Shift, undisturbed: Facts) -> None:
    with closing(Records(shift.place)) as records:
        shift.work(records)
        facts = records.facts()
        audit, unsent = records.audit_events(), records.unsent()
    assert facts.runs == undisturbed.runs
    assert facts.worlds == undisturbed.worlds
    assert facts.calls == undisturbed.calls
    assert facts.approvals == undisturbed.approvals
    assert facts.limits == undisturbed.limits
    assert facts.effects == undisturbed.effects
    shift.kills.figures.update(
        queues=1,
        tasks=len(facts.runs),
        effects=facts.effects.total(),
        approvals=len(facts.approvals),
        audit_events=len(audit),
    )
    decided = [key for key, row in facts.approvals.items() if row["state"] != "asked"]
    assert sorted(shift.decided) == sorted(decided)
    told = Counter(audit.values())
    assert told[semconv.APPROVAL_REQUESTED] == len(facts.approvals)
    assert told[semconv.APPROVAL_DECIDED] == len(decided)
    assert unsent == 0
    stored = stored_events(shift.place.store)
    assert {event: stored[event] for event in audit} == dict.fromkeys(audit, 1)
    assert set(stored.values()) == {1}
    made = spans_of_effects(shift.place.store)
    acts = {key for key, row in facts.calls.items() if row["tool"] in WRITING}
    assert made
    assert {key: n for key, n in made.items() if key in acts and n > 1} == {}
