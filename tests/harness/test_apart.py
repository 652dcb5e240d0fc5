"""What blocks holds up nothing else, and is not cut."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.failure.apart import apart
from goldspan.harness.run import run_agent
from goldspan.harness.tools import Tool
from goldspan.tracing.instrument import instrument
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version

PATIENCE_S = 10.0


def test_another_task_goes_on_while_a_function_blocks() -> None:
    gate = threading.Event()

    async def both() -> bool:
        blocked = asyncio.create_task(apart(gate.wait, PATIENCE_S))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(gate.set)
        return bool(await blocked)

    assert asyncio.run(both())


def test_a_function_sees_its_callers_context_and_its_errors_are_raised() -> None:
    where: contextvars.ContextVar[str] = contextvars.ContextVar("where")

    async def later() -> str:
        return where.get()

    async def asked() -> list[Any]:
        where.set("here")
        found = [await apart(where.get), await apart(later), await apart(lambda: later())]
        with pytest.raises(ValueError, match="not so"):
            await apart(int, "not so")
        return found

    assert asyncio.run(asked()) == ["here", "here", "here"]


@pytest.mark.parametrize("left", [False, True])
def test_who_cancels_waits_for_the_end_or_leaves_it(left: bool) -> None:
    gate, done = threading.Event(), threading.Event()

    def blocks() -> str:
        gate.wait(PATIENCE_S)
        done.set()
        return "made"

    async def cut() -> str:
        leave_at = time.monotonic() if left else time.monotonic() + 3600
        task = asyncio.create_task(apart(blocks, leave_at=leave_at))
        await asyncio.sleep(0)
        for _ in range(2):
            task.cancel()
            await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(gate.set)
        return str(await task)

    if left:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(cut())
        gate.set()
        assert done.wait(PATIENCE_S)
    else:
        assert asyncio.run(cut()) == "made"
        assert done.is_set()


class Watched(Notebook):
    """The notebook, which notes the threads that its parts are called in. The write's answer is
    lost, so that the tool is asked."""

    def __init__(self) -> None:
        self.threads: dict[str, int] = {}

    def tools(self) -> Sequence[Tool]:
        look, write = super().tools()

        def note(part: str, result: Any = None) -> Any:
            self.threads[part] = threading.get_ident()
            if isinstance(result, Exception):
                raise result
            return result

        return (
            replace(look, run=lambda _context, _given: note("read", {"seen": "a"})),
            replace(
                write,
                run=lambda _context, _given: note("act", TimeoutError("no answer")),
                ask=lambda _context, _given: note("ask", {"result": {"wrote": "x"}}),
                preview=lambda _context, _given: note("preview", {"draft": "x"}),
            ),
        )

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        self.threads["prepare"] = threading.get_ident()
        super().prepare(workspace, setup)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        self.threads["end_state"] = threading.get_ident()
        return {}


def test_no_part_of_an_environment_blocks_the_loop(tmp_path: Path) -> None:
    folder = write_version(tmp_path / "keeper" / "v1.0.0")
    with (folder / "config.yaml").open("a") as config:
        config.write("failure: {}\n")
    version, here = AgentVersion.load(folder), Watched()
    model = ScriptedModel([act("look", what="a"), act("write", text="x"), act("answer", text="y")])

    async def run() -> int:
        with instrument(store=tmp_path / "s.duckdb", service_name="test") as telemetry:
            result = await run_agent(
                version,
                "go",
                model=model,
                recorder=telemetry.recorder,
                workspace=tmp_path / "work",
                environment=here,
                approver=NamedApprover("approve"),
            )
        assert [step.result for step in result.steps] == [{"seen": "a"}, {"wrote": "x"}]
        return threading.get_ident()

    loop = asyncio.run(run())
    assert set(here.threads) == {"prepare", "read", "preview", "act", "ask", "end_state"}
    assert loop not in here.threads.values()
