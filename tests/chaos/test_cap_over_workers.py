"""An aggregate cap over three worker processes: what all of them do together is exact."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldspan.tracing.store import Store
from tests.chaos.processes import child, intake, outlived
from tests.chaos.world import sent
from tests.postgres import new_database

pytestmark = pytest.mark.chaos

WORKERS, RUNS, LETTERS, CAP = 3, 12, 5, 25
CALLS = "SELECT count(*) AS n FROM tool_calls WHERE tool_name = 'send' AND error_type IS NULL"


def test_a_day_s_cap_is_exact_over_three_workers(tmp_path: Path) -> None:
    url = new_database()
    script = "; ".join(f"send {n}" for n in range(LETTERS))
    cap = f", caps: [{{of: send, max_calls: {CAP}}}]"
    runs = intake(tmp_path, url, *[script] * RUNS, contract=cap)
    settings = {"url": url, "folder": str(tmp_path), "runs": runs, "pause_s": 0.1}
    workers = [child({**settings, "store": f"{n}.duckdb"}) for n in range(WORKERS)]
    problems = [outlived(worker) for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * WORKERS, problems
    made = [Store.open(tmp_path / f"{n}.duckdb").rows(CALLS)[0]["n"] for n in range(WORKERS)]
    assert sum(n > 0 for n in made) >= 2, "one worker did it all: nothing is shown"
    assert sum(made) == CAP
    assert RUNS * LETTERS > 2 * CAP
    assert sum(len(sent(tmp_path / "workspaces" / run)) for run in runs) == CAP
