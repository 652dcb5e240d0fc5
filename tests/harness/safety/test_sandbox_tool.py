"""The tool that runs commands: in the sandbox, or not at all."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.sandbox.bubblewrap import Limits
from goldspan.harness.sandbox.tool import command_tool
from goldspan.harness.tools import Tool, ToolContext, ToolError
from goldspan.tracing.errors import ConfigError
from tests.harness.safety.test_sandbox import needs_bubblewrap


def call(tool: Tool, workspace: Path, command: str) -> Any:
    context = ToolContext(workspace, "run-1", random.Random(0), datetime.now(UTC), 0)
    return asyncio.run(tool.call(context, tool.parse({"command": command})))


@needs_bubblewrap
def test_commands_of_a_run_share_a_folder_and_see_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "operations.db").write_text("secret", encoding="utf-8")
    tool = command_tool()
    first = call(tool, tmp_path, "echo 1 > a; ls ..")
    assert first["exit_code"] == 0
    assert "operations.db" not in first["stdout"]
    assert call(tool, tmp_path, "cat a") == {"exit_code": 0, "stdout": "1\n", "stderr": ""}
    assert call(tool, tmp_path, "exit 7")["exit_code"] == 7
    assert (tool.action_class, tool.untrusted_output) == ("write", True)


@needs_bubblewrap
def test_what_was_cut_or_removed_is_said(tmp_path: Path) -> None:
    tool = command_tool(limits=Limits(output_bytes=10))
    result = call(tool, tmp_path, "seq 100; ln -s /etc/passwd p")
    assert (result["note"], result["removed"]) == ("cut to 10 bytes", ["p"])


@needs_bubblewrap
def test_a_limit_is_an_error_with_a_type(tmp_path: Path) -> None:
    tool = command_tool(limits=Limits(seconds=0.3))
    with pytest.raises(ToolError, match=r"limit of time after .* s: begun") as caught:
        call(tool, tmp_path, "echo begun; sleep 100")
    assert caught.value.error_type == "SandboxLimit"


def test_there_is_no_tool_without_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="bubblewrap is not installed"):
        command_tool()
