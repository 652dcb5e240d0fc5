"""What a replay puts in the places of model, tools and reviewer: what was recorded of them.

A recorded answer is given where the request is the recorded one, a recorded result where the call
is. Anything else is not made up: a live model or tool is asked where there is one, else the replay
ends there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ValidationError

from goldspan.harness.approvals import Decision, Proposal
from goldspan.harness.failure.error_classes import UnknownOutcomeError
from goldspan.harness.models.gateway import Closing, Model
from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.harness.models.routing import Route
from goldspan.harness.replay.recording import (
    Form,
    RecordedAnswer,
    RecordedDecision,
    RecordedStep,
    form_key,
    request_form,
)
from goldspan.harness.tools import Environment, Tool, ToolContext, ToolError
from goldspan.tracing.errors import ConfigError, MeasurementError
from goldspan.tracing.redaction import Policy

Live: TypeAlias = Literal["none", "reads", "all"]
NOT_RECORDED = "NotRecorded"
DECIDED: dict[str, Literal["approve", "edit", "deny"]] = {
    "approve": "approve",
    "approved": "approve",
    "edit": "edit",
    "edited": "edit",
    "deny": "deny",
    "denied": "deny",
}


@dataclass
class Progress:
    """How far the recording carried.

    `asked` counts the requests to the model; `beyond` says why the recording carried no further,
    None while it does; `request` is the first one that was not as recorded, as (recorded, now);
    `outage` is what a live model failed on.
    """

    asked: int = 0
    beyond: str | None = None
    request: tuple[Form | None, Form] | None = None
    live_calls: int = 0
    outage: MeasurementError | None = None


@dataclass
class LateModel:
    """A live model that is made when it is first asked: most replays need none."""

    route: Route
    make: Callable[[Route], Model]
    _made: Model | None = None

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """Ask it. Raises `MeasurementError` where it cannot be made or does not answer."""
        if self._made is None:
            try:
                self._made = self.make(self.route)
            except ConfigError as error:
                raise MeasurementError(
                    f"a request is not as recorded, and there is no model for it: {error}"
                ) from None
        return await self._made.answer(request)

    async def aclose(self) -> None:
        """Close its connections, where it was asked."""
        if isinstance(self._made, Closing):
            await self._made.aclose()


@dataclass
class RecordedAnswers:
    """A model of recorded answers. `live` answers the requests that were not recorded."""

    calls: Sequence[RecordedAnswer]
    policy: Policy
    progress: Progress
    live: Model | None = None
    _used: set[int] = field(default_factory=set)

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """The recorded answer to this request, else a live one.

        Raises `MeasurementError` where there is neither, or where the recorded call failed.
        """
        if self.progress.beyond is not None and self.live is None:
            self.progress.asked += 1
            raise MeasurementError(self.progress.beyond)
        # The store holds what the policy left of it, so that is what can be compared.
        form = self.policy.scrub_value(request_form(request))
        key, nth = form_key(form), self.progress.asked
        self.progress.asked += 1
        for index, call in enumerate(self.calls):
            if index not in self._used and form_key(call.form) == key:
                self._used.add(index)
                if call.answer is None:
                    raise MeasurementError(f"as recorded, the model did not answer: {call.error}")
                return call.answer
        if self.progress.request is None:
            recorded = self.calls[nth].form if nth < len(self.calls) else None
            self.progress.request = (recorded, form)
        if self.live is not None:
            self.progress.live_calls += 1
            try:
                return await self.live.answer(request)
            except MeasurementError as error:
                self.progress.outage = error
                raise
        self.progress.beyond = f"model call {nth + 1} is not as recorded, so it has no answer"
        raise MeasurementError(self.progress.beyond)


@dataclass
class RecordedTools:
    """An environment whose tools give back what they gave then.

    With `live` its reading tools, or all of them, run again on a world prepared anew; a call that
    runs live needs no recorded result.
    """

    inner: Environment
    steps: Sequence[RecordedStep]
    policy: Policy
    progress: Progress
    live: Live = "none"
    _used: dict[int, str] = field(default_factory=dict)

    def tools(self) -> list[Tool]:
        """The environment's tools under their names, schemas and classes."""
        return [tool if self._runs(tool) else self._played(tool) for tool in self.inner.tools()]

    def prepare(self, workspace: Path, setup: Mapping[str, Any]) -> None:
        """The world, where any tool runs on it; else an empty folder."""
        if self.live == "none":
            workspace.mkdir(parents=True, exist_ok=True)
        else:
            self.inner.prepare(workspace, setup)

    def end_state(self, workspace: Path) -> dict[str, Any]:
        """What is there now, where any tool ran."""
        return {} if self.live == "none" else self.inner.end_state(workspace)

    def _runs(self, tool: Tool) -> bool:
        return self.live == "all" or (self.live == "reads" and tool.action_class == "read")

    def _played(self, tool: Tool) -> Tool:
        def run(context: ToolContext, arguments: BaseModel) -> Any:
            return self._result(tool, context.key, arguments)

        preview = tool.preview if self.live != "none" else None
        return replace(tool, run=run, preview=preview, ask=None)

    def _result(self, tool: Tool, call: str, arguments: BaseModel) -> Any:
        """The recorded result. Raises `ToolError`: the recorded one, or that none was recorded."""
        given = self.policy.scrub_value(arguments.model_dump(mode="json", exclude_unset=True))
        for index, step in enumerate(self.steps):
            used = self._used.get(index, call) != call  # another attempt finds the same
            if used or not step.executed or step.tool != tool.name:
                continue
            if _canonical(step.arguments) == _canonical(given) or _same(tool, step, arguments):
                self._used[index] = call
                if step.error_type is not None:
                    raise _again(step)
                return step.result
        self.progress.beyond = self.progress.beyond or (
            f"{tool.name} was not called so in the recorded run, so it has no result"
        )
        raise ToolError("there is no recorded result of this call", error_type=NOT_RECORDED)


@dataclass
class RecordedReviewer:
    """Decides as was decided then; where nothing was decided, nobody is there."""

    decisions: Sequence[RecordedDecision]
    steps: Sequence[RecordedStep]
    policy: Policy
    _used: set[int] = field(default_factory=set)

    async def decide(self, proposal: Proposal) -> Decision | None:
        """The recorded decision on a call of this tool with these arguments."""
        asked = _canonical(self.policy.scrub_value(proposal.arguments))
        for index, made in enumerate(self.decisions):
            same = made.tool == proposal.tool and _canonical(made.arguments) == asked
            if index in self._used or not same or made.kind not in DECIDED:
                continue
            self._used.add(index)
            kind = DECIDED[made.kind]
            arguments = self._edited(made) if kind == "edit" else {}
            return Decision(kind, made.reviewer, made.reason, arguments)
        return None

    def _edited(self, made: RecordedDecision) -> dict[str, Any]:
        """What the reviewer made of the call: what was then called."""
        later = (
            step.arguments
            for step in self.steps
            if step.executed and step.tool == made.tool and isinstance(step.arguments, dict)
            if made.decided_at is None or step.at is None or step.at >= made.decided_at
        )
        return next(later, made.arguments)


def _again(step: RecordedStep) -> ToolError:
    """The error of a recorded call, of the class that it had."""
    if step.error_class == "unknown":
        return UnknownOutcomeError(step.error_message or "", error_type=step.error_type or "")
    return ToolError(
        step.error_message or "",
        error_type=step.error_type or "",
        retryable=step.error_class == "retry",
    )


def _same(tool: Tool, step: RecordedStep, arguments: BaseModel) -> bool:
    """Whether recorded arguments mean the same: a default that is left out, `5` for "5"."""
    try:
        return tool.parameters.model_validate(step.arguments) == arguments
    except ValidationError:  # the policy may have put its mark where a number was
        return False


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
