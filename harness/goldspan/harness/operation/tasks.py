"""A queue of tasks as a file, and an agent version working through it.

A queue is YAML, a list under `tasks:`, or JSON lines: `id`, `input`, and optionally `setup`,
`now`, `approver`, `approver_edit`, `session` and `contract`.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import Approver, NamedApprover
from goldspan.harness.ledger import Ledger
from goldspan.harness.life import Life
from goldspan.harness.models.cassette import Scope
from goldspan.harness.models.gateway import ModelGateway
from goldspan.harness.operation.attended import attended
from goldspan.harness.operation.sessions import MOST_CHARS, checked
from goldspan.harness.operation.task_contract import TaskContract, hold_to, merged
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.harness.steps import Attempts
from goldspan.tracing import semconv
from goldspan.tracing.errors import InputError
from goldspan.tracing.files import parse_yaml, read_text
from goldspan.tracing.pricing import Prices
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.validation import faults_of

SESSIONS = "sessions"  # beside the runs' workspaces, whose names are their ids


class Task(BaseModel):
    """One task: what is asked, the world that it is asked in, and who may approve. Tasks of one
    `session` are one conversation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    input: str = Field(min_length=1)
    setup: dict[str, Any] = {}
    now: datetime | None = None
    approver: Literal["approve", "deny", "edit", "none"] = "none"
    approver_edit: dict[str, Any] = {}
    session: str | None = Field(default=None, min_length=1, max_length=MOST_CHARS)
    contract: TaskContract = Field(default={}, description="limits that differ from the agent's")


@dataclass(frozen=True)
class Worker:
    """An agent version with all that its runs need. Without a `ledger` that outlives the process,
    each run has limits of its own; what an engine gives a run goes before it."""

    version: AgentVersion
    gateway: ModelGateway
    recorder: Recorder
    prices: Prices
    workspaces: Path
    model_name: str | None = None
    provider: str | None = None
    ledger: Ledger | None = None

    async def run(
        self,
        task: Task,
        *,
        repeat: int = 0,
        seed: int = 0,
        run_id: str | None = None,
        attributes: dict[str, Any] | None = None,
        life: Life | None = None,
        approver: Approver | None = None,
        attempts: Attempts | None = None,
    ) -> RunResult:
        """One run of a task, in a folder of its own below `workspaces`.

        `approver` decides where the task names nobody. `life` and `attempts` are as in `run_agent`.
        The tools' randomness comes from task and repeat, the model's sampling also from `seed`.
        Raises what `run_agent` raises.
        """
        run_id = run_id or new_run_id(task.id, repeat, seed, self.version.digest)
        model = self.gateway.session(Scope(task.id, repeat, seed, self.version.digest))
        agreed = self.version.config.contract
        contract = merged(agreed, task.contract, where=f"task {task.id}")
        named = NamedApprover(task.approver, task.approver_edit)
        make = partial(
            run_agent,
            self.version,
            task.input,
            model=model,
            recorder=self.recorder,
            workspace=self.workspaces / run_id,
            setup=task.setup,
            run_id=run_id,
            contract=contract,
            approver=named if approver is None or task.approver != "none" else approver,
            prices=self.prices,
            now=task.now,
            tool_scope=f"{task.id}/{repeat}",
            sampling_seed=sampling_seed(seed, task.id, repeat),
            model_name=self.model_name,
            provider=self.provider,
            attributes=attributes,
            attempts=attempts,
            session=task.session,
            sessions=self.workspaces / SESSIONS,
        )
        if life is not None or self.ledger is None:
            return await make(life=life)
        batch = (attributes or {}).get(semconv.BATCH_ID)
        known = (self.version.name, self.version.digest, batch)
        with attended(self.ledger, run_id, *known) as own:
            own.result = await make(life=own.life)
        return own.result

    async def work_through(
        self,
        tasks: Sequence[Task],
        *,
        batch: str,
        concurrency: int = 2,
        seed: int = 0,
        done: Callable[[Task, RunResult], None] | None = None,
    ) -> list[RunResult]:
        """All tasks, at most `concurrency` at once; results in the order of the tasks.

        Raises `ConfigError`, before any begins, where a task loosens the version's contract.
        """
        for task in tasks:
            hold_to(self.version.config.contract, task.contract, where=f"task {task.id}")
        gate = asyncio.Semaphore(concurrency)

        async def one(task: Task) -> RunResult:
            async with gate:
                result = await self.run(task, seed=seed, attributes={semconv.BATCH_ID: batch})
                if done is not None:
                    done(task, result)
                return result

        async with asyncio.TaskGroup() as group:
            running = [group.create_task(one(task)) for task in tasks]
        return [task.result() for task in running]


def new_run_id(*parts: object) -> str:
    """A new id of 32 hex digits, from what is run and the moment: a run again is another."""
    text = "\0".join([*map(str, parts), datetime.now().astimezone().isoformat()])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def sampling_seed(seed: int, task: str, repeat: int) -> int:
    """The seed that a model samples with: 31 bits from seed, task and repeat."""
    text = f"{seed}\0{task}\0{repeat}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") >> 1


def in_session(tasks: Sequence[Task], session: str | None) -> list[Task]:
    """Tasks of a session; one that names its own stays there. Raises `ConfigError` where `session`
    is no name of one."""
    checked(session, where="--session")
    return [task.model_copy(update={"session": task.session or session}) for task in tasks]


def load_tasks(path: Path) -> list[Task]:
    """The tasks of a queue file. Raises `InputError` that names the file and the task or line."""
    text = read_text(path)
    tasks: list[Task] = []
    for where, row in _rows(path, text):
        try:
            tasks.append(Task.model_validate(row))
        except ValidationError as error:
            first = faults_of(error, row, Task)[0]
            raise InputError(first.said("task"), where=where, remedy=first.remedy) from None
    seen: set[str] = set()
    for task in tasks:
        if task.id in seen:
            raise InputError(f"task id {task.id!r} is there twice", where=str(path))
        seen.add(task.id)
    if not tasks:
        raise InputError("the queue is empty", where=str(path))
    return tasks


def _rows(path: Path, text: str) -> list[tuple[str, Any]]:
    if path.suffix == ".jsonl":
        rows = []
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                try:
                    rows.append((f"{path}:{number}", json.loads(line)))
                except (ValueError, RecursionError) as error:
                    raise InputError(f"not JSON: {error}", where=f"{path}:{number}") from None
        return rows
    loaded, _ = parse_yaml(text, path)
    listed = loaded.get("tasks") if isinstance(loaded, dict) else loaded
    if not isinstance(listed, list):
        raise InputError("must have a list under tasks:", where=str(path))
    return [(f"{path}: tasks[{i}]", row) for i, row in enumerate(listed)]
