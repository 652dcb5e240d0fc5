"""Grades an agent version: reads its evidence and asks every line of the checklist."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from goldspan.evals.maturity.config_lines import CONFIG_LINES
from goldspan.evals.maturity.engine_state import engine_state
from goldspan.evals.maturity.guard_lines import GUARD_LINES
from goldspan.evals.maturity.history_lines import HISTORY_LINES
from goldspan.evals.maturity.model import Assessment, Evidence, History, Line, grade_of
from goldspan.evals.maturity.operation_lines import KEPT, OPERATION_LINES
from goldspan.evals.maturity.queries import sql
from goldspan.evals.monitors.rules import RULES_FILE, rules_beside
from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.replay import read_recording
from goldspan.harness.tools import Tool
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, GoldspanError
from goldspan.tracing.files import parse_yaml, read_text
from goldspan.tracing.instrument import instrument
from goldspan.tracing.pricing import Prices, prices_path
from goldspan.tracing.redaction import Policy, policy_path
from goldspan.tracing.store import Store

DAYS = 90
LINES: tuple[Line, ...] = (*CONFIG_LINES, *GUARD_LINES, *HISTORY_LINES, *OPERATION_LINES)


def assess(
    home: AgentFolder,
    version: AgentVersion,
    store: Path,
    *,
    engine: str | None = None,
    now: datetime | None = None,
) -> Assessment:
    """Ask every line. Without a store the lines that need one do not hold.

    `engine` is the URL of the durable runs' database, a file beside the store if not given.
    The grade is also a `goldspan.agent.checked` event in the store, where there is one. Raises
    `ConfigError` where prices, redaction or monitors are no such files, and `StoreError`.
    """
    seen = evidence(home, version, store, engine=engine, now=now or datetime.now(UTC))
    findings = tuple((line, line.check(seen)) for line in LINES)
    found = Assessment(
        agent=home.name,
        version=version.version,
        digest=version.digest,
        grade=grade_of(findings),
        findings=findings,
    )
    if seen.history is not None:
        _tell(found, store)
    return found


def evidence(
    home: AgentFolder,
    version: AgentVersion,
    store: Path,
    *,
    engine: str | None = None,
    now: datetime,
) -> Evidence:
    """What the lines look at: the version's folder, its log, the last 90 days in the store, and the
    engine's database."""
    tools, fault = _tools(version)
    written, _ = parse_yaml(
        read_text(version.path / "config.yaml", ConfigError), version.path / "config.yaml"
    )
    contract = written.get("contract") or {}
    rules = store.parent / RULES_FILE
    rules_beside(store)  # a broken file is told here
    return Evidence(
        version=version,
        home=home,
        tools=tools,
        fault=fault,
        stated_limits=frozenset(contract),
        prices=Prices.load(prices_path(store)),
        policy=Policy.load(policy_path(store)),
        rules_file=str(rules) if rules.is_file() else None,
        history=_history(version, store, now) if store.exists() else None,
        engine=engine_state(store, engine, version.name, now - KEPT),
        now=now,
    )


def _tools(version: AgentVersion) -> tuple[tuple[Tool, ...], str | None]:
    try:
        return tuple(version.tools(version.environment())), None
    except GoldspanError as error:
        return (), str(error)


def _history(version: AgentVersion, path: Path, now: datetime) -> History:
    store = Store.open(path, create=False)
    asked = {"digest": version.digest}
    with store.session():
        (runs,) = store.rows(sql("history"), {**asked, "since": now - timedelta(days=DAYS)})
        (approvals,) = store.rows(sql("approvals"), asked)
        experiments = store.rows(sql("experiments"), asked)
        drills = store.rows(sql("drill"))
        (oldest,) = store.rows(sql("oldest"), {"agent": version.name})
    fault = None
    if runs["newest_trace"] is not None:
        try:
            read_recording(store, runs["newest_trace"])
        except GoldspanError as error:
            fault = str(error)
    return History(
        runs,
        approvals,
        tuple(experiments),
        fault,
        drills[0] if drills else None,
        oldest["oldest"],
    )


def _tell(found: Assessment, store: Path) -> None:
    with instrument(store=store, service_name=found.agent) as telemetry:
        telemetry.recorder.event(
            semconv.AGENT_CHECKED,
            {
                semconv.AGENT_NAME: found.agent,
                semconv.AGENT_VERSION: found.version,
                semconv.AGENT_DIGEST: found.digest,
                semconv.AGENT_GRADE: found.grade,
                semconv.AGENT_MISSING: [line.id for line, _ in found.missing],
            },
        )
        telemetry.deliver(remedy="mend that and check again")
