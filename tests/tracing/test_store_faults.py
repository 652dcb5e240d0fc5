"""What is no store, and a disk that is full: one clear line each, and nothing stored is lost."""

from __future__ import annotations

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from goldspan.tracing.batch import IngestBatch, SpanRecord
from goldspan.tracing.errors import ConfigError, InputError, StoreError
from goldspan.tracing.store import Store

MakeSpan = Callable[..., SpanRecord]


def message_of(attempt: Callable[[], object], kind: type[Exception] = StoreError) -> str:
    with pytest.raises(kind) as caught:
        attempt()
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_a_directory(tmp_path: Path) -> None:
    assert "is a directory" in message_of(lambda: Store.open(tmp_path))


def test_a_file_that_is_not_duckdb(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are notes\n" * 1000)
    before = path.read_bytes()
    assert "is not a DuckDB file" in message_of(lambda: Store.open(path))
    assert path.read_bytes() == before


def test_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "empty.duckdb"
    path.touch()
    assert "is not a DuckDB file" in message_of(lambda: Store.open(path))


@pytest.mark.parametrize("share", [0.9, 0.5, 0.01])
def test_half_a_file(store: Store, tmp_path: Path, make_span: MakeSpan, share: float) -> None:
    store.ingest(IngestBatch([make_span({"pad": "x" * 1000}) for _ in range(50)]))
    half = tmp_path / "half.duckdb"
    shutil.copy(store.path, half)
    size = int(half.stat().st_size * share)
    with half.open("rb+") as file:
        file.truncate(size)
    assert "is damaged or cut off" in message_of(lambda: Store.open(half))
    assert half.stat().st_size == size


def test_somebody_elses_duckdb_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("CREATE TABLE orders (id INTEGER)")
    assert "not a Goldspan store" in message_of(lambda: Store.open(path))


def test_a_newer_store(store: Store) -> None:
    with duckdb.connect(store.path) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99, 'later', now(), NULL)")
    assert "upgrade Goldspan" in message_of(lambda: Store.open(store.path))


def test_a_store_whose_views_are_of_another_version_gets_new_ones(store: Store) -> None:
    with duckdb.connect(store.path) as connection:
        connection.execute("DROP VIEW costs")
        connection.execute("UPDATE schema_version SET views_digest = 'older'")
    assert Store.open(store.path).rows("SELECT * FROM costs") == []


def test_a_path_below_a_regular_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "folder cannot be made" in message_of(lambda: Store.open(tmp_path / "file" / "s.duckdb"))


def test_no_store_where_one_is_needed(tmp_path: Path) -> None:
    path = tmp_path / "none" / "s.duckdb"
    assert "there is no such store" in message_of(lambda: Store.open(path, create=False))
    assert not path.parent.exists()


def test_no_server_at_the_address() -> None:
    text = message_of(lambda: Store.open("http://127.0.0.1:9"))
    assert "no server answers" in text
    assert "no server's address" in message_of(lambda: Store.open("http://"), ConfigError)


def in_child_with_file_limit(limit: int, attempt: Callable[[], object]) -> str:
    """Run in a child process whose files may not grow beyond `limit` bytes; its StoreError."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            attempt()
            text = "no error"
        except StoreError as error:
            text = str(error)
        except BaseException as error:  # noqa: BLE001  whatever it is, the parent must see it
            text = repr(error)
        os.write(write_end, text.encode())
        os._exit(0)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        text = pipe.read().decode()
    os.waitpid(child, 0)
    return text


@pytest.mark.parametrize("room", [-1, 0, 4096, 300_000])
def test_a_full_disk_loses_nothing_that_was_stored(
    store: Store, make_span: MakeSpan, room: int
) -> None:
    store.ingest(IngestBatch([make_span() for _ in range(100)]))
    more = IngestBatch([make_span({"pad": os.urandom(2000).hex()}) for _ in range(1000)])
    limit = 1000 if room < 0 else store.path.stat().st_size + room
    text = in_child_with_file_limit(limit, lambda: store.ingest(more))
    assert "there is no room to write it" in text
    assert store.rows("SELECT count(*) AS n FROM spans") == [{"n": 100}]
    assert store.ingest(more).stored_spans == 1000


def test_no_room_for_a_new_store_leaves_no_half_made_one(tmp_path: Path) -> None:
    path = tmp_path / "new.duckdb"
    text = in_child_with_file_limit(20_000, lambda: Store.open(path))
    assert "there is no room to write it" in text
    assert [file.name for file in tmp_path.glob("*new.duckdb*") if file.stat().st_size] == []
    assert not path.exists()
    assert Store.open(path).rows("SELECT * FROM traces") == []


def test_an_export_below_a_regular_file(store: Store, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    target = tmp_path / "file" / "out"
    assert "cannot be written" in message_of(lambda: store.export_parquet(target), InputError)
