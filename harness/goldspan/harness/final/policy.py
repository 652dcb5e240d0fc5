"""The `final` part of an agent version's `config.yaml`: what its answers must pass."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from goldspan.harness.final.citations import CitePolicy
from goldspan.harness.final.goal import Condition
from goldspan.tracing.errors import ConfigError


class FinalPolicy(BaseModel):
    """`tries` is how often the model is told what its answer lacks; `otherwise` what becomes of one
    that lacks it still: the run has failed, or a person decides about the answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cite: CitePolicy | None = None
    goal: tuple[Condition, ...] = ()
    ask_model: bool = False
    tries: int = Field(default=1, ge=0, le=3)
    otherwise: Literal["fail", "escalate"] = "fail"

    def check(self, tools: Collection[str], where: str) -> None:
        """Raise `ConfigError` for a condition on a tool that is not there: it would never hold."""
        for condition in self.goal:
            if condition.called is not None and condition.called not in tools:
                raise ConfigError(
                    f"final.goal: there is no tool {condition.called!r}",
                    where=where,
                    remedy=f"there are {', '.join(sorted(tools)) or 'none'}",
                )
