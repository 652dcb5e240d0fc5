"""The tool that runs commands: in the sandbox, or not at all."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.run import run_agent
from goldspan.harness.sandbox.bubblewrap import Limits
from goldspan.harness.sandbox.tool import command_tool
from goldspan.harness.tools import Tool, ToolContext, ToolError
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store
from tests.harness.safety.test_sandbox import needs_bubblewrap
from tests.harness.scripted import ScriptedModel, act, write_version


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


class Shell:
    """An environment of one tool."""

    def tools(self) -> Sequence[Tool]:
        return (command_tool(limits=Limits(seconds=1.0)),)

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        workspace.mkdir(parents=True)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        return {}


@needs_bubblewrap
def test_each_command_of_a_run_is_an_event_in_its_tools_span(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "keeper" / "v1.0.0")
    (folder / "tools.yaml").write_text("- name: run_command\n", encoding="utf-8")
    texts = [act("run_command", command=line) for line in ("exit 3", "sleep 100")]
    with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
        asyncio.run(
            run_agent(
                AgentVersion.load(folder),
                "go",
                model=ScriptedModel([*texts, act("answer", text="done")]),
                recorder=telemetry.recorder,
                workspace=tmp_path / "work",
                environment=Shell(),
                run_id="run-1",
            )
        )
    store = Store.open(tmp_path / "s.duckdb")
    calls = store.rows("SELECT span_id FROM tool_calls ORDER BY started_at")
    events = store.rows(
        "SELECT * FROM events WHERE event_name = ? ORDER BY observed_at", [semconv.SANDBOX_RUN]
    )
    assert [event["span_id"] for event in events] == [call["span_id"] for call in calls]
    assert {event["run_id"] for event in events} == {"run-1"}
    first, second = (json.loads(event["attributes"]) for event in events)
    assert first[semconv.SANDBOX_COMMAND] == ["/bin/sh", "-c", "exit 3"]
    assert first[semconv.SANDBOX_EXIT_CODE] == 3
    assert second[semconv.SANDBOX_LIMIT] == "time"


def test_there_is_no_tool_without_a_sandbox(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ConfigError, match="bubblewrap is not installed"):
        command_tool()
