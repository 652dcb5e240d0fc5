"""Runs a command under bubblewrap: no network, a read-only root, one writable folder, limits.

The command sees the system's programs, the folder at `/work`, an empty `/tmp`, and nothing else of
the machine: no home folders, no environment, no other processes. Where bubblewrap is missing or
may not make namespaces, nothing runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from goldspan.harness.sandbox.folder import made_safe
from goldspan.harness.sandbox.processes import descendants
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError

Limit: TypeAlias = Literal["time", "memory", "processes"]
WORK = "/work"
CHECK_EVERY_S = 0.02
MB = 1_000_000
# What a program needs to start, where the system has it. Nothing of /etc but the linker's files.
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/alternatives")
LINKER = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d")


@dataclass(frozen=True)
class Limits:
    """What a command may use. `memory_mb` holds for each process and for all together, and for
    what lies in `/tmp` and `/dev/shm`; `output_bytes` is kept of each stream, the rest is dropped.
    """

    seconds: float = 30.0
    memory_mb: int = 512
    processes: int = 64
    file_mb: int = 64
    output_bytes: int = 100_000


@dataclass(frozen=True)
class Finished:
    """How a command ended. `limit` is the one it was killed for; `exit_code` is then None.

    `removed` are names in the folder that the command left and that were not safe to leave: links
    that lead out of it, pipes, sockets, set-user-id bits.
    """

    exit_code: int | None
    stdout: str
    stderr: str
    limit: Limit | None
    seconds: float
    truncated: bool = False
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sandbox:
    """One writable folder and what a command in it may use.

    `readable` are further files or folders of the machine, seen read-only at their own paths.
    `record` takes an event's name and attributes, as `Recorder.event` does.
    """

    folder: Path
    limits: Limits = Limits()
    readable: Sequence[Path] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    record: Callable[[str, Mapping[str, Any]], object] | None = None
    bubblewrap: str = "bwrap"

    def check(self) -> str:
        """The path of a bubblewrap that works here. Raises `ConfigError` with the remedy."""
        path = shutil.which(self.bubblewrap)
        if path is None:
            raise ConfigError(
                "commands run only in a sandbox, and bubblewrap is not installed",
                where=self.bubblewrap,
                remedy="install it (apt-get install bubblewrap), or leave the tool out",
            )
        tried = subprocess.run(
            [path, *self._view(), "--", *self._limited(), "true"],
            env={},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
        )
        if tried.returncode != 0:
            raise ConfigError(
                f"bubblewrap cannot make a sandbox: {tried.stderr.strip() or 'no reason given'}",
                where=path,
                remedy="it needs version 0.8 or newer, prlimit of util-linux, and a kernel or"
                " container that lets it make user namespaces",
            )
        return path

    async def run(self, argv: Sequence[str], *, stdin: bytes = b"") -> Finished:
        """Run `argv` in the folder and return how it ended; a failing command is no error.

        Cancelled, it kills the whole process group first. Raises `ConfigError` where there can be
        no sandbox.
        """
        path = await asyncio.to_thread(self.check)
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            path,
            *self._view(),
            "--",
            *self._limited(),
            *argv,
            env={},  # bubblewrap's own environment can be read inside, at /proc/1/environ
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        work = asyncio.gather(
            _kept(process.stdout, self.limits.output_bytes),
            _kept(process.stderr, self.limits.output_bytes),
            _given(process.stdin, stdin),
        )
        try:
            limit = await self._watched(process, started)
        finally:
            _kill(process)
            out, err, _ = await asyncio.shield(work)
            await process.wait()
            removed = made_safe(self.folder)
        finished = Finished(
            exit_code=None if limit else process.returncode,
            stdout=out[0].decode(errors="replace"),
            stderr=err[0].decode(errors="replace"),
            limit=limit,
            seconds=time.monotonic() - started,
            truncated=out[1] or err[1],
            removed=removed,
        )
        self._recorded(argv, finished)
        return finished

    async def _watched(self, process: asyncio.subprocess.Process, started: float) -> Limit | None:
        ended = asyncio.ensure_future(process.wait())
        try:
            while not ended.done():
                left = self.limits.seconds - (time.monotonic() - started)
                if left <= 0:
                    return "time"
                await asyncio.wait({ended}, timeout=min(CHECK_EVERY_S, left))
                living = descendants(process.pid)
                if sum(living.values()) > self.limits.memory_mb * MB:
                    return "memory"
                if len(living) > self.limits.processes + 1:  # bubblewrap's own reaper is one
                    return "processes"
        finally:
            ended.cancel()
        return None

    def _view(self) -> list[str]:
        """bubblewrap's arguments: the namespaces, and what is seen inside."""
        args = ["--unshare-all", "--unshare-user", "--disable-userns", "--uid", "65534"]
        args += ["--gid", "65534", "--hostname", "sandbox", "--cap-drop", "ALL"]
        args += ["--die-with-parent", "--new-session", "--clearenv"]
        given = {"PATH": "/usr/bin:/bin", "HOME": WORK, "LANG": "C.UTF-8", **self.environment}
        for name, value in given.items():
            args += ["--setenv", name, value]
        for name in (*SYSTEM, *LINKER):
            if Path(name).is_symlink():
                args += ["--symlink", str(Path(name).readlink()), name]
            elif Path(name).exists():
                args += ["--ro-bind", name, name]
        size = str(self.limits.memory_mb * MB)
        args += ["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]
        args += ["--size", size, "--tmpfs", "/dev/shm", "--size", size, "--tmpfs", "/tmp"]
        for path in self.readable:
            args += ["--ro-bind", str(path.absolute()), str(path.absolute())]
        args += ["--bind", str(self.folder.absolute()), WORK, "--chdir", WORK]
        return [*args, "--remount-ro", "/"]

    def _limited(self) -> list[str]:
        limits = self.limits
        return [
            "/usr/bin/prlimit",
            f"--data={limits.memory_mb * MB}",
            f"--fsize={limits.file_mb * MB}",
            f"--nproc={limits.processes}",
            "--core=0",
            "--",
        ]

    def _recorded(self, argv: Sequence[str], finished: Finished) -> None:
        if self.record is not None:
            self.record(
                semconv.SANDBOX_RUN,
                {
                    semconv.SANDBOX_COMMAND: list(argv),
                    semconv.SANDBOX_EXIT_CODE: finished.exit_code,
                    semconv.SANDBOX_LIMIT: finished.limit,
                    semconv.SANDBOX_SECONDS: finished.seconds,
                    semconv.SANDBOX_REMOVED: list(finished.removed) or None,
                },
            )


def _kill(process: asyncio.subprocess.Process) -> None:
    """Ends bubblewrap and its group; the kernel then ends all in its process namespace."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


async def _kept(stream: asyncio.StreamReader | None, most: int) -> tuple[bytes, bool]:
    """At most `most` bytes of a stream that is read to its end, and whether there was more."""
    kept, more = bytearray(), False
    while stream is not None and (chunk := await stream.read(65536)):
        room = most - len(kept)
        kept += chunk[:room]
        more = more or len(chunk) > room
    return bytes(kept), more


async def _given(stream: asyncio.StreamWriter | None, text: bytes) -> None:
    if stream is not None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            stream.write(text)
            await stream.drain()
        stream.close()
