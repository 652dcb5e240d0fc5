"""Promotion of an agent version: only what the gate lets pass becomes current."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from goldspan.evals.baseline import Baseline
from goldspan.evals.gate import GateResult
from goldspan.evals.history import load_experiment
from goldspan.evals.results import Experiment
from goldspan.evals.session import EvalOptions, EvalResult, EvalSession
from goldspan.evals.suite import Suite
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.promotion_log import Promotion, record_promotion
from goldspan.harness.agents.version import AgentVersion
from goldspan.tracing.errors import ConfigError, InputError, MeasurementError
from goldspan.tracing.store import Store

AGENT_FOLDER_VARIABLE = "GOLDSPAN_AGENT_FOLDER"
RunSession: TypeAlias = Callable[[EvalSession], EvalResult]


def run_plainly(session: EvalSession) -> EvalResult:
    """Run a session and say nothing."""
    return session.run()


def measure_version(
    version: AgentVersion, suite: Suite, options: EvalOptions, run: RunSession = run_plainly
) -> EvalResult:
    """Run a suite on a version.

    A suite whose target is a function (or `options.target`) runs that, which finds the version's
    folder in the environment variable GOLDSPAN_AGENT_FOLDER. Raises what `EvalSession` raises.
    """
    chosen = options.target or suite.file.target
    if chosen is None:
        return run(EvalSession(suite, replace(options, agent=version.path)))
    with _in_environment(version.path):
        return run(EvalSession(suite, replace(options, agent=None, target=chosen)))


def gate_version(
    agent: AgentFolder,
    version: AgentVersion,
    suite: Suite,
    options: EvalOptions,
    run: RunSession = run_plainly,
) -> GateResult:
    """The gate's word on a version against the current one.

    Without `options.baseline` the current version is measured first, under the candidate's
    experiment id and `-current`. Raises `ConfigError` where there is no current version or the
    baseline is of another one, `MeasurementError` where the current one cannot be measured.
    """
    if agent.current is None:
        raise ConfigError(
            "no version is current, so there is nothing to compare with",
            where=str(agent.path),
            remedy='set the first one with --force --because "the first version"',
        )
    current = agent.own_version(agent.current)
    if current.digest == version.digest:
        raise ConfigError(
            f"{version.version} is the same as {current.version}, which is current: same digest",
            where=str(version.path),
            remedy="change what decides: prompt, tools, config or examples",
        )
    if options.baseline is None:
        named = f"{options.experiment_id}-current" if options.experiment_id else None
        before = measure_version(current, suite, replace(options, experiment_id=named), run)
        if before.gate.verdict == "unmeasured":
            raise MeasurementError(
                f"the current version {current.version} could not be measured: "
                f"{_first_reason(before.experiment)}",
                where=f"experiment {before.experiment.id}",
                remedy="mend that, or name a baseline of it with --baseline",
            )
        options = replace(options, baseline=before.experiment.id)
    else:
        _check_baseline(_stored(options.baseline, options.store), current)
    gate = measure_version(version, suite, options, run).gate
    _check_baseline(gate.baseline, current)
    return gate


def promoted(
    agent: AgentFolder,
    version: AgentVersion,
    gate: GateResult | None,
    *,
    by: str,
    because: str | None = None,
    force: bool = False,
) -> Promotion | None:
    """Make a version current if the gate says *pass*, and log it; None where it does not.

    `force` makes it current whatever the gate said, or without one, and logs that. Raises
    `ConfigError` where `force` has no reason, or what is current has changed in the meantime.
    """
    if force and not (because or "").strip():
        raise ConfigError("--force needs --because TEXT", remedy="say why: it is kept in the log")
    passed = gate is not None and gate.verdict == "pass"
    if not passed and not force:
        return None
    promotion = replace(
        agent.decided("promote", version, by=by, because=because), forced=not passed
    )
    if gate is not None:
        promotion = replace(
            promotion,
            verdict=gate.verdict,
            suite=gate.candidate.suite,
            suite_digest=gate.candidate.suite_digest,
            experiment=gate.candidate.id,
            baseline=gate.baseline.id if gate.baseline else None,
        )
    record_promotion(agent.path, promotion)
    return promotion


@contextmanager
def _in_environment(folder: Path) -> Iterator[None]:
    before = os.environ.get(AGENT_FOLDER_VARIABLE)
    os.environ[AGENT_FOLDER_VARIABLE] = str(folder.resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ[AGENT_FOLDER_VARIABLE]
        else:
            os.environ[AGENT_FOLDER_VARIABLE] = before


def _stored(named: str, store: Path) -> Experiment | None:
    """A baseline that is a file or in the store; None for others, which are looked at later."""
    if Path(named).is_file():
        return Baseline.load(Path(named)).experiment()
    if store.exists():
        try:
            return load_experiment(Store.open(store), named)
        except InputError:
            return None  # a git revision, perhaps: the session says what it is
    return None


def _check_baseline(baseline: Experiment | None, current: AgentVersion) -> None:
    """Raises `ConfigError` where an experiment is not of the current version."""
    digest = None if baseline is None else baseline.agent_digest
    if baseline is None or digest in (None, current.digest):
        return
    said = f"{baseline.agent_version}, digest {str(digest)[:12]}"
    raise ConfigError(
        f"baseline {baseline.id} is of {said}; "
        f"current is {current.version}, digest {current.digest[:12]}",
        remedy="leave out --baseline, and the current version is measured first",
    )


def _first_reason(experiment: Experiment) -> str:
    missing = experiment.unmeasured
    return f"{missing[0].case_id}: {missing[0].error}" if missing else "no run was made"
