"""Commands under a real bubblewrap: what they cannot reach, and what ends them."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.sandbox.bubblewrap import Finished, Limits, Sandbox
from goldspan.harness.sandbox.processes import descendants
from goldspan.tracing.errors import ConfigError


def unusable() -> str | None:
    """Why no bubblewrap can work here; None where it can. Not by `Sandbox`: that is the subject."""
    path = shutil.which("bwrap")
    if path is None:
        return "bubblewrap is not installed"
    plain = [path, "--unshare-all", "--unshare-user", "--disable-userns", "--ro-bind", "/", "/"]
    tried = subprocess.run([*plain, "true"], capture_output=True, text=True, timeout=30)
    return tried.stderr.strip() or None


REASON = unusable()
needs_bubblewrap = pytest.mark.skipif(REASON is not None, reason=str(REASON))
PYTHON = "/usr/bin/python3"
NAP = 1_000_000 + os.getpid()  # seconds: a number that only these tests sleep for


def run(folder: Path, *argv: str, **more: Any) -> Finished:
    stdin = more.pop("stdin", b"")
    return asyncio.run(Sandbox(folder, **more).run(argv, stdin=stdin))


def shell(folder: Path, command: str, **more: Any) -> Finished:
    return run(folder, "/bin/sh", "-c", command, **more)


@needs_bubblewrap
def test_a_command_works_in_its_folder(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("b\na\n", encoding="utf-8")
    done = shell(tmp_path, "sort in.txt > out.txt; cat; echo oops >&2; exit 3", stdin=b"given")
    assert (done.exit_code, done.stdout, done.stderr) == (3, "given", "oops\n")
    assert (done.limit, done.truncated, done.removed) == (None, False, ())
    assert (tmp_path / "out.txt").read_text(encoding="utf-8") == "a\nb\n"


@needs_bubblewrap
@pytest.mark.parametrize("place", ["/", "/usr", "/etc", "/dev", "/lib/x"])
def test_nothing_but_the_folder_can_be_written(tmp_path: Path, place: str) -> None:
    assert shell(tmp_path, f"echo x > {place}/made").exit_code != 0
    assert not Path(place, "made").exists()


@needs_bubblewrap
def test_the_machine_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "secret").write_text("hidden", encoding="utf-8")
    monkeypatch.setenv("API_KEY", "sk-from-the-host")
    seen = shell(
        tmp_path / "work",
        f"cat {tmp_path}/secret; ls /etc /root /home; env; "
        "cat /proc/*/environ /proc/*/cmdline | tr '\\0' '\\n'; hostname",
    )
    assert "hidden" not in seen.stdout
    assert "sk-from-the-host" not in seen.stdout
    assert "passwd" not in seen.stdout
    assert str(os.getpid()) not in shell(tmp_path, "ls /proc").stdout.split()
    assert socket.gethostname() not in seen.stdout.split()
    assert shell(tmp_path, f"kill -9 {os.getpid()}").exit_code != 0


@needs_bubblewrap
def test_a_named_file_is_readable_and_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "prices.csv").write_text("plan,usd\n", encoding="utf-8")
    price = tmp_path / "prices.csv"
    done = shell(tmp_path / "work", f"cat {price}; echo x >> {price}", readable=[price])
    assert done.stdout == "plan,usd\n"
    assert price.read_text(encoding="utf-8") == "plan,usd\n"


@needs_bubblewrap
def test_no_network_not_even_of_this_machine(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = (
            "import socket,sys\n"
            f"for host, port in (('127.0.0.1', {port}), ('192.0.2.1', 80)):\n"
            "    try: socket.create_connection((host, port), 1); print('reached', host)\n"
            "    except OSError as error: print('no', type(error).__name__)\n"
        )
        outside = socket.create_connection(("127.0.0.1", port), 1)  # the server can be reached
        outside.close()
        done = run(tmp_path, PYTHON, "-c", code)
    assert done.exit_code == 0, done.stderr
    assert done.stdout.split() == ["no", "ConnectionRefusedError", "no", "OSError"]


@needs_bubblewrap
def test_a_unix_socket_of_the_machine_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0goldspan-test-abstract")
        server.listen()
        code = (
            "import socket\ns = socket.socket(socket.AF_UNIX)\n"
            "s.connect('\\0goldspan-test-abstract')\n"
        )
        done = run(tmp_path / "work", PYTHON, "-c", code)
    assert "ConnectionRefusedError" in done.stderr


@needs_bubblewrap
def test_time_ends_the_command_and_its_children(tmp_path: Path) -> None:
    started = time.monotonic()
    done = shell(
        tmp_path,
        f"setsid sleep {NAP} & (trap '' TERM; sleep {NAP}) & echo begun; wait",
        limits=Limits(seconds=0.4),
    )
    assert (done.limit, done.exit_code, done.stdout) == ("time", None, "begun\n")
    assert time.monotonic() - started < 5
    assert not _sleeping()


@needs_bubblewrap
def test_a_child_does_not_outlive_a_command_that_ends(tmp_path: Path) -> None:
    done = shell(tmp_path, f"setsid sleep {NAP} >/dev/null 2>&1 & echo done")
    assert (done.exit_code, done.stdout) == (0, "done\n")
    assert not _sleeping()


@needs_bubblewrap
def test_cancelling_kills_the_command(tmp_path: Path) -> None:
    async def cancelled() -> None:
        task = asyncio.create_task(Sandbox(tmp_path).run(["/bin/sh", "-c", f"sleep {NAP}"]))
        while not _sleeping():
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(asyncio.wait_for(cancelled(), 10))
    assert not _sleeping()


@needs_bubblewrap
def test_memory_of_one_process_is_limited(tmp_path: Path) -> None:
    done = run(
        tmp_path, PYTHON, "-c", "x = bytearray(300_000_000); print('had it')",
        limits=Limits(memory_mb=100),
    )  # fmt: skip
    assert (done.limit, done.exit_code) == (None, 1)
    assert "MemoryError" in done.stderr


@needs_bubblewrap
def test_memory_of_all_processes_is_limited(tmp_path: Path) -> None:
    code = "import time; x = bytearray(b'x' * 30_000_000); time.sleep(20)"
    done = shell(
        tmp_path,
        f'for i in 1 2 3 4 5 6; do {PYTHON} -c "{code}" & done; wait',
        limits=Limits(memory_mb=150, seconds=15),
    )
    assert done.limit == "memory"


@needs_bubblewrap
@pytest.mark.parametrize("place", ["/tmp", "/dev/shm"])
def test_files_in_memory_are_limited(tmp_path: Path, place: str) -> None:
    command = f"for i in 1 2 3; do head -c 20000000 /dev/zero > {place}/$i || exit 9; done"
    done = shell(tmp_path, command, limits=Limits(memory_mb=40))
    assert done.exit_code == 9
    assert "No space left" in done.stderr


@needs_bubblewrap
def test_a_file_is_limited(tmp_path: Path) -> None:
    done = shell(tmp_path, "head -c 5000000 /dev/zero > big", limits=Limits(file_mb=2))
    assert done.exit_code not in (0, None)
    assert (tmp_path / "big").stat().st_size <= 2_000_000


@needs_bubblewrap
def test_a_flood_of_processes_ends(tmp_path: Path) -> None:
    done = shell(
        tmp_path,
        f"for i in $(seq 200); do sleep {NAP} & done; wait; echo survived",
        limits=Limits(processes=20, seconds=15),
    )
    assert done.limit == "processes" or "fork" in done.stderr
    assert "survived" not in done.stdout
    assert not _sleeping()


@needs_bubblewrap
def test_output_is_cut_and_not_waited_for(tmp_path: Path) -> None:
    done = shell(
        tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x", limits=Limits(output_bytes=1000)
    )
    assert (done.exit_code, done.stdout, done.truncated) == (0, "x" * 1000, True)


@needs_bubblewrap
def test_what_is_unsafe_to_leave_is_removed(tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    (tmp_path / "secret").write_text("hidden", encoding="utf-8")
    (work / "kept.txt").write_text("kept", encoding="utf-8")
    done = shell(
        work,
        f"mkdir -p sub; ln -s {tmp_path}/secret sub/out; ln -s ../../secret up; ln -s kept.txt in;"
        " ln -s ring ring; mkfifo pipe; cp /bin/true tool; chmod 4755 tool;"
        " mkdir shut; touch shut/x; chmod 0 shut",
    )
    assert done.exit_code == 0, done.stderr
    assert done.removed == ("pipe", "ring", "sub/out", "tool", "up")
    assert sorted(p.name for p in work.rglob("*")) == [
        "in", "kept.txt", "shut", "sub", "tool", "x"
    ]  # fmt: skip
    assert (work / "tool").stat().st_mode & 0o7777 == 0o755
    assert (work / "in").read_text(encoding="utf-8") == "kept"
    assert (tmp_path / "secret").read_text(encoding="utf-8") == "hidden"


@needs_bubblewrap
def test_no_namespace_and_no_privilege_inside(tmp_path: Path) -> None:
    assert shell(tmp_path, "unshare --user --map-root-user id").exit_code != 0
    caps = shell(tmp_path, "grep -i cap /proc/self/status").stdout.split()
    assert set(caps[1::2]) == {"0000000000000000"}


@needs_bubblewrap
def test_a_run_is_an_event(tmp_path: Path) -> None:
    seen: list[tuple[str, Any]] = []
    shell(tmp_path, "sleep 9", limits=Limits(seconds=0.2), record=lambda n, a: seen.append((n, a)))
    ((name, attributes),) = seen
    assert name == "goldspan.sandbox.run"
    assert attributes["goldspan.sandbox.limit"] == "time"
    assert attributes["goldspan.sandbox.command"] == ["/bin/sh", "-c", "sleep 9"]
    assert attributes["goldspan.sandbox.exit_code"] is None


def test_without_bubblewrap_nothing_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"not installed .*apt-get install bubblewrap"):
        run(tmp_path, "/bin/touch", "made", bubblewrap="no-such-bwrap")
    assert not list(tmp_path.iterdir())


def test_a_bubblewrap_that_cannot_make_namespaces_runs_nothing(tmp_path: Path) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n")
    fake.chmod(0o755)
    (tmp_path / "work").mkdir()
    with pytest.raises(ConfigError, match="No permissions to create new namespace") as caught:
        run(tmp_path / "work", "/bin/touch", "made", bubblewrap=str(fake))
    assert "user namespaces" in str(caught.value.remedy)
    assert not list((tmp_path / "work").iterdir())


def test_descendants_are_counted_with_their_memory() -> None:
    async def tree() -> dict[int, int]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import subprocess; print(flush=True); subprocess.run(['cat'])",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        await process.stdout.readline()
        for _ in range(200):
            found = descendants(process.pid)
            if found:
                break
            await asyncio.sleep(0.01)
        await process.communicate(b"")
        return found

    found = asyncio.run(tree())
    assert len(found) == 1
    assert threading.get_native_id() not in found
    assert all(size > 0 for size in found.values())


def _sleeping() -> list[int]:
    """The processes of this machine that a test above has left."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if command == f"sleep\0{NAP}\0".encode():
                found.append(int(entry.name))
    return found
