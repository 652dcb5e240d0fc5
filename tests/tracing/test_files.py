"""Files that people name: faults have a line, and what is written appears whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from goldspan.tracing.batch import IngestBatch
from goldspan.tracing.errors import ConfigError, InputError, NotStoredError
from goldspan.tracing.files import check_target, parse_yaml, read_text, write_text
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"a: 1\nb: [\n", r"f\.yaml:3: is not YAML"),
        (b"a: 1\nb: \xff\n", r"f\.yaml:2: is not UTF-8 text"),
        (b"a: 1\nb: \x07\n", r"f\.yaml:2: is not YAML: it holds the character #x0007"),
        (b"a: 2026-99-99\n", r"f\.yaml:1: is not YAML: month"),
        (b"[" * 9000, r"f\.yaml:1: is not YAML: maximum recursion"),
    ],
)
def test_what_is_no_yaml_is_told_with_its_line(tmp_path: Path, body: bytes, said: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(body)
    with pytest.raises(ConfigError, match=said):
        parse_yaml(read_text(path, ConfigError), path, ConfigError)


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert parse_yaml(read_text(path), path)[0] == {"a": 1}


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "made" / "r.xml"
    write_text(path, "first")
    link = tmp_path / "link.xml"
    link.symlink_to(path)
    write_text(link, "second")
    assert (link.is_symlink(), path.read_text()) == (True, "second")
    assert [file.name for file in path.parent.iterdir()] == ["r.xml"]
    with pytest.raises(InputError, match="/dev/full: cannot be written: No space left"):
        write_text(Path("/dev/full"), "text")
    assert Path("/dev/full").is_char_device()


def test_where_no_file_can_be_is_told_beforehand(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="a folder of its path is a regular file"):
        check_target(tmp_path / "file" / "r.xml")
    with pytest.raises(InputError, match="Is a directory"):
        check_target(tmp_path)


def test_telemetry_that_did_not_arrive_is_raised_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(store: Store, body: IngestBatch) -> None:
        raise NotStoredError("there is no room to write it", where=str(store.path))

    with instrument(store=tmp_path / "s.duckdb") as telemetry:
        telemetry.recorder.event("goldspan.test", {})
        telemetry.deliver(remedy="try again")
        monkeypatch.setattr(Store, "ingest", full)
        telemetry.recorder.event("goldspan.test", {})
        said = r"s\.duckdb: there is no room to write it; the results are not stored \(try again\)"
        for _ in range(2):  # an earlier flush must not hide it
            with pytest.raises(NotStoredError, match=said) as caught:
                telemetry.deliver(remedy="try again")
    assert caught.value.exit_code == 4
