"""Who may open the store while a server runs, starts, stops or dies: each trap."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from tests.served import COMMAND, post, serving, spans, start_server, stored, wait_for

from goldspan.tracing.batch import IngestBatch, LogRecord
from goldspan.tracing.errors import ConfigError, InputError, StoreError
from goldspan.tracing.server.options import Limits
from goldspan.tracing.server.owner import owning
from goldspan.tracing.store import Store
from goldspan.tracing.store.address import (
    Address,
    address_file,
    live_address,
    start_time,
    write_address,
)
from goldspan.tracing.store.remote import RemoteStore

HOLDER = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def event(name: str) -> IngestBatch:
    """A batch of one log record whose id is its name."""
    attributes = {"goldspan.event.id": name}
    return IngestBatch(logs=[LogRecord("e", 1, None, None, "", None, attributes, {}, "", "")])


def owned(store: Path) -> bool:
    """Whether another process holds DuckDB's own lock: nobody else may even read."""
    try:
        duckdb.connect(store, read_only=True).close()
    except duckdb.IOException as error:
        return "lock" in str(error)
    return False


def serve_once(store: Path) -> subprocess.CompletedProcess[str]:
    """A server that is expected to refuse."""
    argv = [*COMMAND, "serve", "--store", str(store), "--port", "0", "--no-grpc", "--no-dashboard"]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


def test_nothing_that_the_owner_does_drops_its_lock(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    with serving(store, "--no-grpc") as served:
        remote = RemoteStore.of(served.address)
        steps: dict[str, Callable[[], object]] = {
            "start": lambda: None,
            "commit": lambda: post(served.url, "/v1/traces", spans(50).SerializeToString()),
            "query": lambda: remote.table("SELECT * FROM traces", None),
            "failed query": lambda: refused("SELECT nope"),
            "file query": lambda: refused(f"SELECT * FROM read_blob('{store}')"),
            "checkpoint": lambda: remote.admin("checkpoint", {}),
            "export": lambda: remote.admin("export", {"folder": str(tmp_path / "out")}),
            "backup": lambda: remote.admin("backup", {"file": str(tmp_path / "copy.duckdb")}),
            "failed backup": lambda: refused_backup(),
        }

        def refused(sql: str) -> None:
            with pytest.raises(InputError):
                remote.table(sql, None)

        def refused_backup() -> None:
            with pytest.raises(InputError, match="is there already"):
                remote.admin("backup", {"file": str(store)})

        for step, do in steps.items():
            do()
            assert owned(store), step
    assert not owned(tmp_path / "copy.duckdb")


def test_a_backup_is_a_whole_store(tmp_path: Path) -> None:
    store, copy = tmp_path / "goldspan.duckdb", tmp_path / "copies" / "copy.duckdb"
    with serving(store, "--no-grpc") as served:
        remote = RemoteStore.of(served.address)
        post(served.url, "/v1/traces", spans(50, 1).SerializeToString())
        told = remote.admin("backup", {"file": str(copy)})
        post(served.url, "/v1/traces", spans(50, 2).SerializeToString())
        assert told == {"file": str(copy), "bytes": copy.stat().st_size}
        assert stored(store)["spans"] == 100
        assert stored(copy)["spans"] == 50
        assert Store.open(copy).ingest(event("later")).stored_events == 1
        assert [file.name for file in copy.parent.iterdir() if "part" in file.name] == []
        with pytest.raises(InputError, match="missing"):
            remote.admin("backup", {"file": ""})
        with pytest.raises(InputError, match="no such job"):
            remote.admin("nothing", {})


def test_the_address_file(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    served = start_server(store, "--no-grpc")
    file = address_file(store)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text())
    assert (told["pid"], told["url"]) == (served.process.pid, served.url)
    assert len(told["token"]) >= 32
    assert told["token"] != told["admin_token"]
    assert served.stop() == 0
    assert not file.exists()


@pytest.mark.parametrize("stale", ["a dead process", "another process of that id", "nonsense"])
def test_a_stale_address_is_recognised(tmp_path: Path, stale: str) -> None:
    store = tmp_path / "goldspan.duckdb"
    Store.open(store).ingest(event("a"))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    pid = ended.pid if stale == "a dead process" else os.getpid()
    write_address(store, Address("http://127.0.0.1:9", pid, "12345", "t", "a"))
    if stale == "nonsense":
        address_file(store).write_text('{"pid": "x"')
    assert live_address(store) is None
    assert stored(store)["events"] == 1
    with serving(store, "--no-grpc") as served:
        assert served.address.pid == served.process.pid
        assert stored(store)["events"] == 1


def test_a_zombie_is_no_owner(tmp_path: Path) -> None:
    """Killed, and not yet waited for by its parent."""
    store = tmp_path / "goldspan.duckdb"
    served = start_server(store, "--no-grpc")
    served.process.kill()
    wait_for(lambda: start_time(served.process.pid) is None)
    assert stored(store)["spans"] == 0
    served.kill()


def test_the_start_time_tells_processes_apart() -> None:
    mine = start_time(os.getpid())
    assert mine
    assert mine == start_time(os.getpid())
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        time.sleep(0.05)
        assert start_time(other.pid) not in (None, mine)
        other.communicate(b"\n")
    assert start_time(other.pid) is None


def test_two_servers_at_once_one_wins_and_the_other_says_who(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    done: list[subprocess.CompletedProcess[str]] = []
    threads = [threading.Thread(target=lambda: done.append(serve_once(store))) for _ in range(3)]
    for thread in threads:
        thread.start()
    wait_for(lambda: len(done) == 2)
    winner = live_address(store)
    assert winner is not None
    for refused in done:
        assert refused.returncode == 2
        assert f"`goldspan serve` at {winner.url}, process {winner.pid}" in refused.stderr
        assert refused.stderr.count("error:") == 1
    os.kill(winner.pid, 15)
    for thread in threads:
        thread.join()
    assert done[2].returncode == 0


def test_a_foreign_process_on_the_file_is_named(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    Store.open(store)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, store],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        refused = serve_once(store)
        holder.communicate()
    assert refused.returncode == 2
    assert f"held open by process {holder.pid}" in refused.stderr
    assert not address_file(store).exists()


def test_a_session_makes_a_starting_server_wait_not_fail(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    opened = Store.open(store)
    with opened.session():
        process = subprocess.Popen(
            [*COMMAND, "serve", "--store", store, "--port", "0", "--no-grpc", "--no-dashboard"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        assert opened.rows("SELECT count(*) AS n FROM spans") == [{"n": 0}]
        assert live_address(store) is None
    wait_for(lambda: live_address(store) is not None)
    assert opened.ingest(event("a")).stored_events == 1
    process.terminate()
    assert process.wait(60) == 0


def test_processes_that_open_a_new_store_while_a_server_starts(tmp_path: Path) -> None:
    code = """
import sys
from goldspan.tracing.store import Store
from goldspan.tracing.batch import IngestBatch, LogRecord
for n in range(5):
    attributes = {"goldspan.event.id": f"{sys.argv[2]}-{n}"}
    log = LogRecord("e", 1, None, None, "", None, attributes, {}, "", "")
    store = Store.open(sys.argv[1])
    assert store.ingest(IngestBatch(logs=[log])).stored_events == 1
    assert store.rows("SELECT count(*) AS n FROM events")[0]["n"] > n
"""
    store = tmp_path / "goldspan.duckdb"
    processes = [
        subprocess.Popen([sys.executable, "-c", code, store, str(who)], stderr=subprocess.PIPE)
        for who in range(3)
    ]
    with serving(store, "--no-grpc"):
        for process in processes:
            _, problems = process.communicate(timeout=60)
            assert process.returncode == 0, problems.decode()
        assert stored(store)["events"] == 15


def test_a_long_process_notices_servers_that_come_and_go(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    opened = Store.open(store)
    stop = threading.Event()
    problems: list[BaseException] = []
    sent: list[int] = []

    def work() -> None:
        while not stop.is_set():
            try:
                result = opened.ingest(event(str(len(sent))))
                assert result.stored_events + result.duplicate_events == 1
                sent.append(1)
                with opened.session() as session:
                    rows = session.rows("SELECT count(*) AS n FROM events")
                assert rows == [{"n": len(sent)}]
            except BaseException as error:  # noqa: BLE001  the test tells it
                problems.append(error)
                return

    def some_more() -> None:
        now = len(sent)
        wait_for(lambda: len(sent) >= now + 3 or bool(problems))

    thread = threading.Thread(target=work)
    thread.start()
    for graceful in (True, False, True):
        some_more()
        served = start_server(store, "--no-grpc")
        some_more()
        if graceful:
            assert served.stop() == 0
        else:
            served.kill()
    some_more()
    stop.set()
    thread.join()
    assert problems == []
    assert stored(store)["events"] == len(sent)


def test_by_its_address_a_server_needs_a_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "goldspan.duckdb"
    with serving(store, "--no-grpc", "--token", "a long secret") as served:
        with pytest.raises(ConfigError, match="GOLDSPAN_TOKEN"):
            Store.open(served.url)
        monkeypatch.setenv("GOLDSPAN_TOKEN", "a long secret")
        opened = Store.open(served.url)
        assert opened.ingest(event("a")).stored_events == 1
        assert Store.open(Path(served.url)).rows("SELECT count(*) AS n FROM events") == [{"n": 1}]
        assert opened.export_parquet(tmp_path / "out")["events"] == 1
        with pytest.raises(StoreError, match="no server answers"):
            Store.open("http://127.0.0.1:9")


def test_a_broken_price_list_holds_nobody_up(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    with serving(store, "--no-grpc") as served:
        (tmp_path / "prices.yaml").write_text("][")
        assert post(served.url, "/v1/traces", spans(2).SerializeToString()).status == 200
        assert "prices" in served.problems.read_text()
        assert stored(store)["spans"] == 2


def test_what_a_killed_server_left_is_cleared_away(tmp_path: Path) -> None:
    store = tmp_path / "goldspan.duckdb"
    killed = start_server(store, "--no-grpc")
    leftover = store.with_name(store.name + ".work") / "backup-1.duckdb"
    leftover.write_bytes(b"half a copy")
    address = killed.address
    killed.kill()
    with serving(store, "--no-grpc") as served:
        assert not leftover.exists()
        assert dataclasses.asdict(served.address) != dataclasses.asdict(address)


def test_work_on_the_closed_file_between_two_commits(tmp_path: Path) -> None:
    """What pruning needs: the file may be replaced, queries wait, the lock is ours again after."""
    path = tmp_path / "goldspan.duckdb"
    with owning(path, Limits()) as owner:
        assert owner.write(event("a")).stored_events == 1
        with owner.closed():
            shutil.copy(path, tmp_path / "copy.duckdb")
            with duckdb.connect(tmp_path / "copy.duckdb") as copy:
                copy.execute("CREATE TABLE mark (n INTEGER)")
            (tmp_path / "copy.duckdb").replace(path)
        assert owner.write(event("b")).stored_events == 1
        with owner.snapshot() as cursor:
            assert cursor.execute("SELECT count(*) FROM events, mark").fetchone() == (0,)
            assert cursor.execute("SELECT count(*) FROM events").fetchone() == (2,)
        opened = Store.open(path)  # in the owner's own process: by its connection
        assert opened.rows("SELECT count(*) AS n FROM events") == [{"n": 2}]
        with pytest.raises(StoreError, match="owned by the server in this process"):
            opened.ingest(event("c"))
        code = "import sys, duckdb; duckdb.connect(sys.argv[1])"
        other = subprocess.run(
            [sys.executable, "-c", code, path], capture_output=True, text=True, check=False
        )
        assert "lock" in other.stderr
    assert stored(path)["events"] == 2
