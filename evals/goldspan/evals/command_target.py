"""A program as a target: the case on its standard input, its answer on standard output."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goldspan.evals.results import StepRecord
from goldspan.evals.targets import TargetResult, run_in_span
from goldspan.golden import Case
from goldspan.harness.operation.tasks import new_run_id
from goldspan.tracing.errors import ConfigError, MeasurementError, why
from goldspan.tracing.live_spans import AgentSpan
from goldspan.tracing.recorder import Recorder

MOST_REASON_CHARACTERS = 500
MOST_ANSWER_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class CommandTarget:
    """`command` is a list of arguments, run without a shell; `{input}`, `{case}` and `{repeat}` in
    one are replaced.

    The program is given `{"input", "case_id", "repeat", "seed", "setup", "now"}` as JSON on its
    standard input. What it writes to standard output is the answer; a JSON object with an `answer`
    may also have `outcome`, `end_state`, and `steps` (`tool`, `arguments`, `result`, `error_type`).
    An exit code other than 0, and no end within `timeout_s`, are failed runs.
    """

    command: Sequence[str]
    recorder: Recorder
    timeout_s: float = 600
    folder: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.command or not all(isinstance(part, str) and part for part in self.command):
            raise ConfigError(
                "a command is a list of texts", remedy='e.g. command: ["./agent", "{input}"]'
            )

    @property
    def label(self) -> str:
        """The program's name."""
        return Path(self.command[0]).name

    @property
    def version(self) -> str | None:
        """Not known."""
        return None

    @property
    def digest(self) -> str | None:
        """Not known: the program's files may change behind its name."""
        return None

    def tool_names(self) -> frozenset[str] | None:
        """Not known."""
        return None

    async def run(
        self, case: Case, *, repeat: int, seed: int, attributes: Mapping[str, Any]
    ) -> TargetResult:
        """One run of the program, in an agent span.

        Its environment names the run (GOLDSPAN_RUN_ID) and the span (TRACEPARENT, W3C Trace
        Context), so that a program that is traced itself may join. Raises `MeasurementError` where
        it cannot be started.
        """
        run_id = new_run_id(case.id, repeat, seed, " ".join(self.command))

        async def work(span: AgentSpan) -> TargetResult:
            variables = {
                "GOLDSPAN_RUN_ID": run_id,
                "TRACEPARENT": f"00-{span.trace_id}-{span.span_id}-01",
            }
            result = await self._result(case, repeat, seed, variables)
            if result.reason is not None:
                span.fail("command_failed", result.reason)
            return result

        return await run_in_span(
            self.recorder, self.label, case, run_id, attributes, work, tells_end=True
        )

    async def _result(
        self, case: Case, repeat: int, seed: int, variables: Mapping[str, str]
    ) -> TargetResult:
        """What the program did; `reason` is why that is a failure where it is one."""
        given = {
            "input": case.input,
            "case_id": case.id,
            "repeat": repeat,
            "seed": seed,
            "setup": case.setup,
            "now": case.now,
        }
        process = await self._start(case, repeat, variables)
        told = json.dumps(given, ensure_ascii=False, default=str).encode()
        try:
            async with asyncio.timeout(self.timeout_s):
                out, err = await process.communicate(told)
        except TimeoutError:
            return _failed(f"no end within {self.timeout_s:g} s")
        finally:
            await _stop(process)
        if process.returncode != 0:
            said = err.decode("utf-8", "replace").strip()[-MOST_REASON_CHARACTERS:]
            reason = f"exit code {process.returncode}" + (f": {said}" if said else "")
            return _failed(reason, answer=_text(out) or None)
        if len(out) > MOST_ANSWER_BYTES:
            return _failed(f"an answer of {len(out)} bytes")
        return _read(_text(out))

    async def _start(
        self, case: Case, repeat: int, variables: Mapping[str, str]
    ) -> asyncio.subprocess.Process:
        known = {"{input}": case.input, "{case}": case.id, "{repeat}": str(repeat)}
        arguments = [_filled(part, known) for part in self.command]
        try:
            return await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self.folder,
                env={**os.environ, **self.environment, **variables},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            told = why(error) if isinstance(error, OSError) else str(error)
            raise MeasurementError(
                f"{self.command[0]!r} cannot be started: {told}",
                remedy="name a program that can be run, with its path",
            ) from None


def _failed(reason: str, answer: str | None = None) -> TargetResult:
    return TargetResult(answer=answer, outcome="failed", reason=reason)


def _filled(part: str, known: Mapping[str, str]) -> str:
    """The argument with what its placeholders name; what is filled in is not looked at again."""
    for name, value in known.items():
        before, found, after = part.partition(name)
        if found:
            return _filled(before, known) + value + _filled(after, known)
    return part


async def _stop(process: asyncio.subprocess.Process) -> None:
    """End the program and all that it started, where it has not ended by itself."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _text(out: bytes) -> str:
    return out.decode("utf-8", "replace").strip()


def _read(text: str) -> TargetResult:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return TargetResult(answer=text)
    if not isinstance(value, dict) or "answer" not in value:
        return TargetResult(answer=text)
    answer, state, steps = value["answer"], value.get("end_state"), value.get("steps")
    plain = answer is None or isinstance(answer, str)
    return TargetResult(
        answer=answer if plain else json.dumps(answer, ensure_ascii=False),
        outcome=str(value.get("outcome") or "completed"),
        end_state=state if isinstance(state, dict) else {},
        steps=tuple(
            StepRecord(
                str(step["tool"]), step.get("arguments"), step.get("error_type"), step.get("result")
            )
            for step in (steps if isinstance(steps, list) else [])
            if isinstance(step, dict) and "tool" in step
        ),
    )
