"""Plan and execute: one agent plans, one does each step, and what failed is planned anew.

For tasks of many steps that are known beforehand: the plan can be read (and approved) before
anything is done, and each step has a small context. Wang et al. 2023, "Plan-and-Solve Prompting".
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from goldspan.harness.patterns.team import Team
from goldspan.harness.tools import Tool

PLANNER = """\
You plan, you do not act. Answer with a JSON list of at most {most} short steps, each a text that
somebody can do with these tools: {tools}."""
WORKER = "You do one step of a plan. Use the tools. Answer with what you found, and only that."
WRITER = "You answer the task from the results of its steps. State nothing that they do not say."


@dataclass
class Outcome:
    """The plan as it was carried out, each step with its result, and the answer."""

    answer: str | None
    done: list[tuple[str, str]] = field(default_factory=list)
    plans: int = 0


async def plan_and_execute(
    team: Team, task: str, tools: Sequence[Tool], *, most_steps: int = 5, most_plans: int = 2
) -> Outcome:
    """Carry out a task by a plan; all agents share the version's contract.

    A step that does not complete leads to a new plan of what is left, `most_plans` in all. Raises
    `Ended` where the budget is used up.
    """
    ask, outcome = partial(team.run, budget=team.budget()), Outcome(None)
    names = ", ".join(tool.name for tool in tools)
    prompt = PLANNER.format(most=most_steps, tools=names)
    while outcome.plans < most_plans:
        outcome.plans += 1
        asked = f"{task}\n\n{_told(outcome)}" if outcome.done else task
        plan = await ask("planner", prompt, asked, share=0.5, trusted=not outcome.done)
        failed = False
        for step in _steps(plan.answer, most_steps):
            told = f"Task: {task}\n{_told(outcome)}\nYour step: {step}"
            clean = not outcome.done  # after that, the text holds what tools may have said
            result = await ask("worker", WORKER, told, tools=tools, share=0.5, trusted=clean)
            failed = result.outcome != "completed"
            said = result.answer or f"{result.outcome}: {result.reason}"
            outcome.done.append((step, said))
            if failed:
                break
        if not failed and outcome.done:
            break
    told = f"Task: {task}\n{_told(outcome)}"
    outcome.answer = (await ask("writer", WRITER, told, trusted=not outcome.done)).answer
    return outcome


def _told(outcome: Outcome) -> str:
    lines = [f"- {step}: {said}" for step, said in outcome.done]
    return "\n".join(["Done so far:", *lines]) if lines else ""


def _steps(answer: str | None, most: int) -> list[str]:
    """The steps of a plan; an answer that is no list is one step."""
    try:
        listed = json.loads(answer or "[]")
    except ValueError:
        listed = [answer]
    return [str(step) for step in listed][:most] if isinstance(listed, list) else [str(listed)]
