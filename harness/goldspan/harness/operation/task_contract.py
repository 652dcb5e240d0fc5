"""What a task may say of its run's contract: less than the agent version allows, never more.

Who writes a task need not be who answers for the agent: a queue file, a schedule or a trigger
cannot give a run more than its version has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, ValidationError

from goldspan.harness.contract import Contract
from goldspan.harness.rules.stated import Cap, Target
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.validation import faults_of

# A lower figure is tighter; none at all is no limit.
_LIMITS = (
    "max_tokens",
    "max_tool_calls",
    "max_usd",
    "max_seconds",
    "max_iterations",
    "max_repeats",
    "max_cycles",
    "max_stale",
    "alarm_at",
    "stop_at",
)
# What a run is held against where there is no history; without a figure, that is its bound.
_TYPICAL = ("typical_usd", "typical_tokens")


def _known(given: dict[str, Any]) -> dict[str, Any]:
    try:
        Contract.model_validate(given)
    except ValidationError as error:
        first = faults_of(error, given, Contract)[0]
        remedy = f" ({first.remedy})" if first.remedy else ""
        raise ValueError(f"{first.said('the contract')}{remedy}") from None
    return given


TaskContract: TypeAlias = Annotated[dict[str, Any], AfterValidator(_known)]


def merged(agent: Contract, given: Mapping[str, Any], *, where: str) -> Contract:
    """An agent's contract with what is stated anew. Raises `ConfigError` for what is no limit."""
    try:
        return Contract.model_validate({**agent.model_dump(), **given})
    except ValidationError as error:
        first = faults_of(error, given, Contract)[0]
        raise ConfigError(
            f"contract.{first.said('the contract')}", where=where, remedy=first.remedy
        ) from None


def hold_to(agent: Contract, given: Mapping[str, Any], *, where: str) -> None:
    """Raise `ConfigError` where a task loosens its agent's contract, or states what is no limit.

    A list or mapping that a task states takes the place of the agent's, so it has to contain that.
    """
    task = merged(agent, given, where=where)
    for name in given:
        if not _is_held(name, getattr(agent, name), getattr(task, name)):
            raise ConfigError(
                f"contract.{name}: a task may tighten what its agent version allows, not loosen it",
                where=where,
                remedy=f"the version says {_shown(agent, name)}",
            )
    _hold_alarm(agent, task, where)


def _hold_alarm(agent: Contract, task: Contract, where: str) -> None:
    """Without a figure, what is typical is the bound through `stop_at`: a lower `stop_at` alone
    would raise what the alarm stands at."""
    stated = any(getattr(agent, name) is not None for name in _TYPICAL)
    most = float(f"{agent.alarm_at * task.stop_at / agent.stop_at:.4g}")  # as it is said
    if not stated and task.alarm_at > most:
        raise ConfigError(
            "contract.stop_at: so low, it puts off the alarm of a run without a history",
            where=where,
            remedy=f"state alarm_at too, at most {most:g}",
        )


def _is_held(name: str, agent: Any, task: Any) -> bool:
    if name in _LIMITS:
        return agent is None or (task is not None and task <= agent)
    if name in _TYPICAL:
        return agent is task is None or (None not in (agent, task) and task <= agent)
    rule = _RULES.get(name)
    return rule is None or rule(agent, task)


def _fewer_tools(agent: tuple[str, ...] | None, task: tuple[str, ...] | None) -> bool:
    return agent is None or (task is not None and set(task) <= set(agent))


def _all_of(agent: tuple[Any, ...], task: tuple[Any, ...]) -> bool:
    return all(one in task for one in agent)


def _same_and_more(agent: Mapping[str, Any], task: Mapping[str, Any]) -> bool:
    return all(task.get(tool) == rule for tool, rule in agent.items())


def _targets(
    agent: Mapping[str, Mapping[str, Target]], task: Mapping[str, Mapping[str, Target]]
) -> bool:
    for tool, arguments in agent.items():
        for path, target in arguments.items():
            stated = task.get(tool, {}).get(path)
            if stated is None or stated.kind != target.kind:
                return False
            if not set(stated.entries) <= set(target.entries):
                return False
    return True


def _caps(agent: tuple[Cap, ...], task: tuple[Cap, ...]) -> bool:
    def within(limit: float | None, stated: float | None) -> bool:
        return limit is None or (stated is not None and stated <= limit)

    return all(
        any(
            (cap.of, cap.amount) == (one.of, one.amount)
            and within(cap.max_calls, one.max_calls)
            and within(cap.max_amount, one.max_amount)
            for one in task
        )
        for cap in agent
    )


def _plausible(agent: Mapping[str, tuple[Any, ...]], task: Mapping[str, tuple[Any, ...]]) -> bool:
    return all(_all_of(rules, task.get(tool, ())) for tool, rules in agent.items())


_RULES: Mapping[str, Callable[[Any, Any], bool]] = {
    "required_artifacts": _all_of,
    "allowed_tools": _fewer_tools,
    "targets": _targets,
    "caps": _caps,
    "plausible": _plausible,
    "outputs": _same_and_more,
    "dry_run": _all_of,
    "rehearse": _same_and_more,
}


def _shown(agent: Contract, name: str) -> str:
    return str(agent.model_dump(mode="json")[name])
