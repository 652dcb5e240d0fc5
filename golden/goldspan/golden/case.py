"""The golden case: one input with what is expected of an agent, identified by its content."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Outcome: TypeAlias = Literal["completed", "paused", "failed", "aborted", "killed"]
NOT_CONTENT = frozenset({"description", "provenance", "review", "tags", "cluster"})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


Pattern: TypeAlias = Annotated[str, AfterValidator(_compiles)]


class ToolExpectation(_Strict):
    """Which tools are called."""

    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    order: tuple[str, ...] = Field(default=(), description="called in this order, others between")
    any_of: tuple[tuple[str, ...], ...] = Field(default=(), description="one group is called whole")
    only: tuple[str, ...] = Field(default=(), description="no other tool is called")


class ArgumentExpectation(_Strict):
    """Some call of the tool has all these arguments; values may be matchers."""

    tool: str
    where: dict[str, Any] = Field(min_length=1)


class AnswerExpectation(_Strict):
    """What the final answer holds. Texts are compared without regard to case."""

    contains: tuple[str, ...] = ()
    contains_any: tuple[tuple[str, ...], ...] = ()
    excludes: tuple[str, ...] = ()
    regex: tuple[Pattern, ...] = ()
    json_schema: dict[str, Any] | None = None


class Bounds(_Strict):
    """The most that a run may do."""

    max_tool_calls: int | None = Field(default=None, ge=0)
    max_llm_calls: int | None = Field(default=None, ge=0)
    max_repeated_call: int | None = Field(default=None, ge=1)


class Expectation(_Strict):
    """What is expected of a run; what is left out is not looked at."""

    outcome: Outcome | tuple[Outcome, ...] = "completed"
    tools: ToolExpectation | None = None
    arguments: tuple[ArgumentExpectation, ...] = ()
    answer: AnswerExpectation | None = None
    end_state: dict[str, Any] = Field(default={}, description="dotted path, or count(path): value")
    bounds: Bounds | None = None

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The outcomes that are right."""
        return (self.outcome,) if isinstance(self.outcome, str) else self.outcome

    def tool_names(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Every tool that is named, with the place of its name in the case."""
        named: list[tuple[tuple[str | int, ...], str]] = []
        if self.tools is not None:
            for key in ("required", "forbidden", "order", "only"):
                for i, name in enumerate(getattr(self.tools, key)):
                    named.append((("expect", "tools", key, i), name))
            for i, group in enumerate(self.tools.any_of):
                named += [(("expect", "tools", "any_of", i, j), n) for j, n in enumerate(group)]
        for i, expected in enumerate(self.arguments):
            named.append((("expect", "arguments", i, "tool"), expected.tool))
        return named


class Case(_Strict):
    """One golden case."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)
    description: str = ""
    tags: tuple[str, ...] = ()
    cluster: str | None = Field(default=None, description="what this case shares with others")
    input: str = Field(min_length=1)
    setup: dict[str, Any] = Field(default={}, description="given to the environment")
    now: datetime | None = Field(default=None, description="the clock that the tools see")
    approver: Literal["approve", "deny", "edit", "none"] = "none"
    approver_edit: dict[str, Any] = {}
    contract: dict[str, Any] = Field(default={}, description="limits that differ from the agent's")
    expect: Expectation
    provenance: dict[str, Any] = {}
    review: bool = Field(default=False, description="proposed, and not yet looked at by a person")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what decides a verdict: the same however the file is laid out.

        Description, tags, cluster, provenance and the review mark are not part of it.
        """
        body = self.model_dump(mode="json", exclude=set(NOT_CONTENT), exclude_defaults=True)
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
