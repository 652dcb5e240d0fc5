"""What an agent may call: typed tools, their context, and the environment that holds them."""

from __future__ import annotations

import copy
import hashlib
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ValidationError

from goldspan.harness.failure.apart import apart
from goldspan.harness.failure.time_limit import in_time

JsonValue: TypeAlias = bool | int | float | str | list[Any] | dict[str, Any] | None
ActionClass: TypeAlias = Literal["read", "write", "act"]


# Every run asks for them, and pydantic takes half a millisecond to make one.
_schemas: WeakKeyDictionary[type[BaseModel], dict[str, Any]] = WeakKeyDictionary()


class ToolError(Exception):
    """A tool could not do what it was asked. The message goes back to the model.

    `error_type` is a short class name for the span; `retryable` says whether the same call may
    succeed when it is made again. Where it may, or where `outage` is set, the tool does not work,
    and that counts for its breaker.
    """

    outage = False

    def __init__(
        self, message: str, *, error_type: str = "ToolError", retryable: bool = False
    ) -> None:
        super().__init__(message)
        self.error_type = error_type
        self.retryable = retryable


@dataclass(frozen=True)
class ToolContext:
    """What a tool may know of the run. Clock and randomness are given, so a replay sees the same.

    `call` counts the calls of this tool in this run, from 0; `rng` is seeded from case, repeat,
    tool and that number. `key` is the call's idempotency key: the same in every life of the run.
    `record` takes an event's name and attributes; the event stands in the call's span.
    """

    workspace: Path
    run_id: str
    rng: random.Random
    now: datetime
    call: int
    key: str = ""
    record: Callable[[str, Mapping[str, Any]], object] = lambda _name, _attributes: None


@dataclass(frozen=True)
class Tool:
    """One thing an agent can do.

    `parameters` is a Pydantic model with `extra="forbid"`; `run` takes the context and an instance
    of it, and returns JSON; one that is not async runs in a thread, each call in another, as `ask`,
    `preview` and the environment do. `action_class` is `read` (changes nothing), `write` (changes
    only what colleagues see) or `act` (reaches a customer or moves money). `artifact` names what a
    successful call produces, for contracts that owe it; a result with a `path` names its file in
    the workspace. `preview` says what a reviewer should see
    of a call before it is made: any of `draft`, `claims`, `risk` and `recommendation`.

    `ask` says, by `context.key`, what an earlier call of the same key returned, as an object with
    `result`, or None where there was none. Without it a person is asked about a call that a crash
    left unknown. `dry_run` says what a call would do, and does nothing.
    """

    name: str
    description: str
    parameters: type[BaseModel]
    run: Callable[[ToolContext, Any], Any]
    action_class: ActionClass = "read"
    needs_approval: bool = False
    untrusted_output: bool = False
    artifact: str | None = None
    preview: Callable[[ToolContext, dict[str, Any]], dict[str, Any]] | None = None
    ask: Callable[[ToolContext, Any], Mapping[str, Any] | None] | None = None
    dry_run: Callable[[ToolContext, Any], JsonValue] | None = None

    def json_schema(self) -> dict[str, Any]:
        """The JSON Schema of the arguments, without titles and with references resolved."""
        known = _schemas.get(self.parameters)
        if known is None:
            schema = self.parameters.model_json_schema()
            known = _schemas[self.parameters] = _plain(schema, schema.get("$defs", {}))
        return copy.deepcopy(known)

    def parse(self, arguments: Any) -> BaseModel:
        """The arguments, checked. Raises `ToolError` that names each field that is wrong."""
        try:
            return self.parameters.model_validate(arguments)
        except ValidationError as error:
            faults = "; ".join(
                f"{'.'.join(str(p) for p in e['loc']) or 'arguments'}: {e['msg']}"
                for e in error.errors(include_url=False)
            )
            raise ToolError(
                f"arguments of {self.name} are invalid: {faults}", error_type="InvalidArguments"
            ) from None

    async def call(
        self, context: ToolContext, arguments: BaseModel, *, until: float = math.inf
    ) -> JsonValue:
        """Run the tool, sync or async, and return its JSON result.

        One that is not async runs in a thread, and comes to its end when it is cancelled; one that
        only reads is left to itself from `until` on, in seconds of `time.monotonic`.
        """
        leave_at = until if self.action_class == "read" else math.inf
        result: JsonValue = await in_time(apart(self.run, context, arguments, leave_at=leave_at))
        return result


class Environment(Protocol):
    """A world that tools act on: made anew for each run, and compared at its end."""

    def tools(self) -> Sequence[Tool]:
        """Every tool that this environment has."""
        ...

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        """Make the files and databases of a run in an empty folder."""
        ...

    def end_state(self, workspace: Path) -> dict[str, Any]:
        """What is there now, as JSON without clocks, so that two runs can be compared."""
        ...


def seeded(scope: str, tool: str, call: int, seed: int = 0) -> random.Random:
    """The randomness of one tool call: the same for the same scope, tool, ordinal and seed."""
    text = f"{seed}\0{scope}\0{tool}\0{call}".encode()
    return random.Random(int.from_bytes(hashlib.sha256(text).digest()[:8], "big"))


def result_text(value: JsonValue) -> str:
    """A tool's result as the text that the model reads: compact JSON, keys in their order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(node: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(node, list):
        return [_plain(item, definitions) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _plain(definitions[node["$ref"].rsplit("/", 1)[-1]], definitions)
    return {
        key: {name: _plain(sub, definitions) for name, sub in value.items()}
        if key == "properties"
        else _plain(value, definitions)
        for key, value in node.items()
        if key not in ("$defs", "title")
    }
