"""Starting the dashboard: what is checked first, and what is said when it cannot start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goldspan.dashboards import server
from goldspan.tracing.errors import ConfigError, StoreError


def _dashboard(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "GOLDSPAN_STORE"}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    code = "from goldspan.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "dashboard", "--no-browser", *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_missing_store_is_one_line_and_exit_2(tmp_path: Path) -> None:
    done = _dashboard("--store", "nowhere.duckdb", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "nowhere.duckdb" in done.stderr
    assert "goldspan simulate" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_port_in_use_is_one_line_and_names_the_remedy(tmp_path: Path, filled: Any) -> None:
    with socket.create_server((server.HOST, 0)) as taken:
        port = taken.getsockname()[1]
        done = _dashboard("--store", str(filled.path), "--port", str(port), cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"port {port} is in use" in done.stderr
    assert f"--port {port + 1}" in done.stderr


def test_a_directory_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        server.check_store(str(tmp_path))


def test_a_free_port_is_chosen_for_zero_and_a_taken_one_refused() -> None:
    port = server.check_port(0)
    assert server.check_port(port) == port
    with socket.create_server((server.HOST, port)), pytest.raises(ConfigError, match="in use"):
        server.check_port(port)


def test_only_this_machine_is_served_and_nothing_phones_home() -> None:
    flags = server.options(8501, open_browser=False)
    assert "--server.address=127.0.0.1" in flags
    assert "--browser.gatherUsageStats=false" in flags
    assert "--server.headless=true" in flags
    assert "--server.allowedHosts=127.0.0.1" in flags
