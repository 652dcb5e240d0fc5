"""A tool that runs a shell command in the sandbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from goldspan.harness.sandbox.bubblewrap import Limits, Sandbox
from goldspan.harness.tools import Tool, ToolContext, ToolError

FOLDER = "files"


class RunCommand(BaseModel):
    """A line for the shell; its working folder is the only one that it can write."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: Annotated[str, StringConstraints(min_length=1, max_length=4000)]


def command_tool(
    *,
    name: str = "run_command",
    limits: Limits | None = None,
    readable: Sequence[Path] = (),
    needs_approval: bool = False,
) -> Tool:
    """The tool. Commands of a run share the folder `files` of its workspace, made when first used.

    Each command is an event of the run, `goldspan.sandbox.run`. One that fails is a result with its
    exit code; one that met a limit is an error of the type `SandboxLimit`. Raises `ConfigError` at
    once where there can be no sandbox.
    """
    limits = limits or Limits()
    Sandbox(Path.cwd(), limits, readable).check()

    async def run(context: ToolContext, call: RunCommand) -> dict[str, Any]:
        folder = context.workspace / FOLDER
        folder.mkdir(exist_ok=True)
        sandbox = Sandbox(folder, limits, readable, record=context.record)
        done = await sandbox.run(["/bin/sh", "-c", call.command])
        if done.limit is not None:
            raise ToolError(
                f"the command met its limit of {done.limit} after {done.seconds:.1f} s: "
                f"{done.stderr[-300:] or done.stdout[-300:] or 'no output'}",
                error_type="SandboxLimit",
            )
        result: dict[str, Any] = {
            "exit_code": done.exit_code,
            "stdout": done.stdout,
            "stderr": done.stderr,
        }
        if done.truncated:
            result["note"] = f"cut to {limits.output_bytes} bytes"
        if done.removed:
            result["removed"] = list(done.removed)
        return result

    return Tool(
        name,
        "runs a shell command without network in a folder of its own",
        RunCommand,
        run,
        action_class="write",
        needs_approval=needs_approval,
        untrusted_output=True,
    )
