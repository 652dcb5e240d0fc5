"""A PostgreSQL server of this test run's own: started when it is first asked for, gone at its end.

Only where its programs are installed; else the test is skipped, with the reason.
"""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from functools import cache
from pathlib import Path

import psycopg
import pytest

INSTALLED = "/usr/lib/postgresql"


def new_database() -> str:
    """The URL of an empty database. Skips the test where there is no server to be had."""
    server = _server()
    if isinstance(server, str):
        pytest.skip(server)
    name = f"t{uuid.uuid4().hex}"
    with psycopg.connect(_url(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    return _url(server, name)


def _url(folder: Path, database: str) -> str:
    return f"postgresql://postgres@/{database}?host={folder}"


@cache
def _server() -> Path | str:
    """The folder of a running server's socket, or why there is none."""
    found = shutil.which("initdb") or next(iter(_programs()), None)
    if found is None:
        return "no PostgreSQL server (initdb) is installed"
    programs = Path(found).resolve().parent
    as_user = None
    if os.geteuid() == 0:
        # The server refuses to run as root.
        as_user = next((u.pw_name for u in pwd.getpwall() if u.pw_name in USERS), None)
        if as_user is None:
            return "PostgreSQL does not run as root, and there is no other user"
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    if as_user is not None:
        shutil.chown(folder, as_user)
    data = folder / "data"
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-N",
    ]
    subprocess.run(initdb, check=True, capture_output=True, user=as_user, cwd=folder)
    settings = f"-F -k {folder} -c listen_addresses='' -c max_connections=200"
    start: list[str | Path] = [
        programs / "pg_ctl",
        "-D",
        data,
        "-o",
        settings,
        "-l",
        folder / "log",
        "-w",
        "start",
    ]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL, user=as_user, cwd=folder)

    def stop() -> None:
        command: list[str | Path] = [programs / "pg_ctl", "-D", data, "-m", "immediate", "stop"]
        subprocess.run(command, stdout=subprocess.DEVNULL, user=as_user, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return folder


USERS = ("postgres", "nobody")


def _programs() -> list[str]:
    return sorted(map(str, Path(INSTALLED).glob("*/bin/initdb")), reverse=True)
