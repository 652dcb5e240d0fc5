"""The golden case: one input with what is expected of an agent, identified by its content."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from functools import cached_property
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import with_config
from typing_extensions import TypedDict

from goldspan.golden.expected import (
    Expected,
    Pattern,
    StatePath,
    check_json_schema,
    check_tools_agree,
)

Outcome: TypeAlias = Literal["completed", "paused", "failed", "aborted", "killed"]
Count: TypeAlias = Annotated[int, Field(ge=0, strict=True)]
Positive: TypeAlias = Annotated[int, Field(gt=0, strict=True)]
Amount: TypeAlias = Annotated[float, Field(gt=0, strict=True)]
NOT_CONTENT = frozenset({"description", "provenance", "review", "tags", "split", "cluster"})


def _written_time(value: Any) -> Any:
    if isinstance(value, str | datetime):
        return value
    raise ValueError("should be a date and time such as 2026-11-17T09:00:00Z")


def _in_utc(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Instant: TypeAlias = Annotated[datetime, BeforeValidator(_written_time), AfterValidator(_in_utc)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolExpectation(_Strict):
    """Which tools are called."""

    required: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    order: tuple[str, ...] = Field(default=(), description="called in this order, others between")
    trajectory: tuple[str, ...] | None = Field(default=None, description="all calls, by tool")
    match: Literal["strict", "unordered", "superset", "subset"] = Field(
        default="strict",
        description="the run's calls: just these in order, in any order, these and more, no others",
    )
    any_of: tuple[tuple[str, ...], ...] = Field(default=(), description="one group is called whole")
    only: tuple[str, ...] = Field(default=(), description="no other tool is called")

    @model_validator(mode="after")
    def _can_be_met(self) -> ToolExpectation:
        whole = self.trajectory if self.trajectory and self.match != "subset" else ()
        wanted = {*self.required, *self.order, *whole}
        check_tools_agree(wanted, set(self.forbidden), set(self.only))
        if self.match != "strict" and self.trajectory is None:
            raise ValueError("match without trajectory: list the calls that it is about")
        return self


class ArgumentExpectation(_Strict):
    """Some call of the tool has all these arguments; values may be matchers."""

    tool: str
    where: dict[str, Expected] = Field(min_length=1)


class Effect(_Strict):
    """One writing call of a run, with all its arguments; values may be matchers."""

    tool: str
    arguments: dict[str, Expected] = {}


class NumberExpectation(_Strict):
    """A number in the answer, within the wider of the two tolerances."""

    value: float
    absolute: float = Field(default=0.0, ge=0)
    relative: float = Field(default=0.0, ge=0, description="a share of the value: 0.01 is 1 %")


class AnswerExpectation(_Strict):
    """What the final answer holds. Texts are compared without regard to case."""

    contains: tuple[str, ...] = ()
    contains_any: tuple[tuple[str, ...], ...] = ()
    excludes: tuple[str, ...] = ()
    regex: tuple[Pattern, ...] = ()
    json_schema: Annotated[dict[str, Any], AfterValidator(check_json_schema)] | None = None
    reference: str | None = Field(
        default=None, description="a right answer, for judges; no text is compared with it"
    )
    equals: str | None = Field(default=None, description="the whole answer; ends are trimmed")
    numbers: tuple[NumberExpectation, ...] = ()


class EvidenceExpectation(_Strict):
    """Each claim cites an observation: a step, or an id that a tool result of the run held."""

    of: Literal["answer"] | StatePath = Field(
        default="answer", description="the answer, or where the end state has a list of claims"
    )
    claims: Literal["facts", "sentences", "cited"] = Field(
        default="facts",
        description="sentences that must cite: those with a figure or an id, all, or none",
    )
    at_least: Count = Field(default=1, description="citations that there must be")


class Bounds(_Strict):
    """The most that a run may do."""

    max_tool_calls: Count | None = None
    max_llm_calls: Count | None = None
    max_repeated_call: Positive | None = None
    max_tokens: Count | None = None
    max_usd: Annotated[float, Field(ge=0)] | None = None
    max_ms: Annotated[float, Field(ge=0)] | None = None


class Expectation(_Strict):
    """What is expected of a run; what is left out is not looked at."""

    outcome: Outcome | Annotated[tuple[Outcome, ...], Field(min_length=1)] = "completed"
    tools: ToolExpectation | None = None
    arguments: tuple[ArgumentExpectation, ...] = ()
    answer: AnswerExpectation | None = None
    end_state: dict[StatePath, Expected] = Field(
        default={}, description="dotted path, or count(path): value or matcher"
    )
    effects: tuple[Effect, ...] | None = Field(
        default=None, description="all writing calls that succeed, in any order; [] for none at all"
    )
    effect_tools: tuple[str, ...] = Field(
        default=(), description="which tools write: names, or patterns such as update_*"
    )
    bounds: Bounds | None = None
    evidence: EvidenceExpectation | None = None
    refuses: bool | None = Field(
        default=None, description="true: the answer refuses; false: it does not"
    )

    @model_validator(mode="after")
    def _effect_tools_are_needed(self) -> Expectation:
        if self.effect_tools and self.effects is None:
            raise ValueError("effect_tools without effects: say effects: [] for no writing call")
        return self

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
            for i, name in enumerate(self.tools.trajectory or ()):
                named.append((("expect", "tools", "trajectory", i), name))
            for i, group in enumerate(self.tools.any_of):
                named += [(("expect", "tools", "any_of", i, j), n) for j, n in enumerate(group)]
        for i, expected in enumerate(self.arguments):
            named.append((("expect", "arguments", i, "tool"), expected.tool))
        for i, effect in enumerate(self.effects or ()):
            named.append((("expect", "effects", i, "tool"), effect.tool))
        return named


@with_config(ConfigDict(extra="forbid"))
class Limits(TypedDict, total=False):
    """What differs from the contract of the agent version; the names are the contract's."""

    max_tokens: Positive
    max_tool_calls: Count
    max_usd: Amount | None
    max_seconds: Amount
    max_iterations: Positive
    max_repeats: Positive
    max_cycles: Positive
    max_stale: Positive
    required_artifacts: list[str]


class Case(_Strict):
    """One golden case."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=80)
    description: str = ""
    tags: tuple[str, ...] = Field(default=(), description="happy, edge, adversarial, or your own")
    split: str | None = Field(default=None, min_length=1, description="dev, test, or your own")
    cluster: str | None = Field(default=None, description="what this case shares with others")
    input: str = Field(min_length=1)
    setup: dict[str, Any] = Field(default={}, description="given to the environment")
    now: Instant | None = Field(default=None, description="the clock that the tools see; UTC")
    approver: Literal["approve", "deny", "edit", "none"] = Field(
        default="none", description="with none, a call that needs approval pauses the run"
    )
    approver_edit: dict[str, Any] = Field(default={}, description="arguments that `edit` changes")
    contract: Limits = Field(default=Limits(), description="limits that differ from the agent's")
    expect: Expectation
    provenance: dict[str, Any] = Field(default={}, description="where the case comes from")
    review: bool = Field(
        default=False, strict=True, description="proposed, and not yet looked at by a person"
    )

    @model_validator(mode="after")
    def _edit_is_whole(self) -> Case:
        if (self.approver == "edit") != bool(self.approver_edit):
            raise ValueError("approver: edit and approver_edit go together")
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what decides a verdict: the same however the file is laid out.

        Description, tags, split, cluster, provenance and the review mark are not part of it, nor is
        what only states a default.
        """
        body = self.model_dump(mode="json", exclude=set(NOT_CONTENT), exclude_defaults=True)
        text = json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
