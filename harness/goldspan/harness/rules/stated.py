"""Rules that a contract states, and guards hold calls to. All of it is plain configuration."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from goldspan.harness.rules.targets import TargetKind, entry


class Rule(BaseModel):
    """What all rules have in common: an unknown field is an error, none is changed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(Rule):
    """What one argument of a tool may name: the kind of thing, and the allow-list."""

    kind: TargetKind
    allow: tuple[str, ...]

    @model_validator(mode="after")
    def _canonical(self) -> Self:
        for text in self.allow:
            entry(self.kind, text)
        return self

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """The allow-list in canonical form."""
        return tuple(entry(self.kind, text) for text in self.allow)


class Cap(Rule):
    """What all runs and workers together may do in a day, counted in UTC.

    `of` is a tool's name or an action class (`read`, `write`, `act`). `amount` is the path of the
    tool's argument that `max_amount` sums up.
    """

    of: str
    max_calls: int | None = Field(default=None, ge=0)
    amount: str | None = None
    max_amount: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.amount is None) != (self.max_amount is None):
            raise ValueError("amount and max_amount belong together")
        if self.max_calls is None and self.max_amount is None:
            raise ValueError("state max_calls, or amount and max_amount")
        return self


class Range(Rule):
    """Plausible numbers, ends included."""

    min: float = Field(default=-1e308, allow_inf_nan=False)
    max: float = Field(default=1e308, allow_inf_nan=False)

    def __contains__(self, value: float) -> bool:
        return self.min <= value <= self.max

    def __str__(self) -> str:
        return f"{self.min:g} to {self.max:g}"


class InputRule(Rule):
    """When the input of an action that concerns many items is plausible.

    `field` is a path in the tool's arguments, or in the results that `results_of` has given in
    this run. Among at least `min_items` values at most the share `max_share` may be the same (be
    `value`, where that is given); each must be in `range`.
    """

    field: str
    results_of: str | None = None
    min_items: int = Field(default=10, ge=1)
    max_items: int | None = Field(default=None, ge=1)
    max_share: float | None = Field(default=None, ge=0, lt=1)
    value: Any = None
    range: Range | None = None
    ruling: Literal["deny", "pause", "stop"] = "pause"


class Window(Rule):
    """The time that a result must be of: days before and after now, or between two arguments."""

    max_age_days: float | None = Field(default=None, ge=0)
    max_ahead_days: float = Field(default=0, ge=0)
    from_argument: str | None = None
    to_argument: str | None = None


class OutputRule(Rule):
    """When a tool's output is whole. Keys of `window` and `range` are paths in the result.

    `not_empty` are paths that must hold something (`""` is the result itself), `required` fields
    that every item of a list must have, `partial` flags that must be absent, false, zero or empty.
    `otherwise` says what becomes of an output that is not whole: `retry` makes a call that only
    reads again, and tells the model in the end; `deny` tells it at once; `pause` waits for a
    person; `stop` ends the run.
    """

    required: tuple[str, ...] = ()
    not_empty: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    window: dict[str, Window] = {}
    range: dict[str, Range] = {}
    otherwise: Literal["retry", "deny", "pause", "stop"] = "retry"

    @field_validator("required")
    @classmethod
    def _named(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        if "" in paths:
            raise ValueError("a required field needs a name")
        return paths
