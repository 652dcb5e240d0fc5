"""Orchestrator: one agent hands parts of a task to sub-agents, and puts the answers together.

A sub-agent inherits the contract and shares its budget: whatever is handed on, all of them together
stay within what the one task may use. Its run lies inside the call in the same trace, under an id
of its own. What it answers is untrusted text, and so is every task that is handed on after that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import BaseModel, ConfigDict, Field

from goldspan.harness.patterns.budget import SharedBudget
from goldspan.harness.patterns.team import Team
from goldspan.harness.result import Ended, RunResult
from goldspan.harness.tools import ActionClass, JsonValue, Tool, ToolContext, ToolError

PROMPT = """\
You lead specialists: {names}. Hand each part of the task to the one who fits, by the tool
`delegate`, with all that they need to know. Then answer from what they say."""


STRONGER: tuple[ActionClass, ...] = ("read", "write", "act")


@dataclass(frozen=True)
class Specialist:
    """A sub-agent: what it is told, and what it may call."""

    prompt: str
    tools: Sequence[Tool] = ()


class Delegate(BaseModel):
    """Arguments of `delegate`."""

    model_config = ConfigDict(extra="forbid")

    specialist: str
    task: str = Field(min_length=1)


def delegation(team: Team, specialists: Mapping[str, Specialist], budget: SharedBudget) -> Tool:
    """The tool by which an orchestrator runs its sub-agents: as strong as their strongest tool,
    and so not made twice where one of them acts."""
    heard = False

    async def run(_context: ToolContext, arguments: Delegate) -> JsonValue:
        nonlocal heard
        chosen = specialists.get(arguments.specialist)
        if chosen is None:
            known = ", ".join(specialists)
            raise ToolError(f"no specialist of this name; there are {known}", error_type="NotFound")
        hand_on = partial(team.run, budget=budget, tools=chosen.tools, share=0.5)
        try:
            result = await hand_on(
                arguments.specialist, chosen.prompt, arguments.task, trusted=not heard
            )
        except Ended as end:
            raise ToolError(f"{end.reason}: answer now", error_type="BudgetUsedUp") from None
        heard = True
        return {"outcome": result.outcome, "answer": result.answer, "reason": result.reason}

    classes = {tool.action_class for chosen in specialists.values() for tool in chosen.tools}
    strongest: ActionClass = max(classes, key=STRONGER.index, default="read")
    said = "Hand a part of the task to a specialist."
    return Tool("delegate", said, Delegate, run, strongest, untrusted_output=True)


async def orchestrate(team: Team, task: str, specialists: Mapping[str, Specialist]) -> RunResult:
    """The orchestrator's run. Raises `Ended` where the budget has nothing for it."""
    budget = team.budget()
    tool = delegation(team, specialists, budget)
    prompt = PROMPT.format(names=", ".join(specialists))
    return await team.run("lead", prompt, task, budget=budget, tools=(tool,), share=0.5)
