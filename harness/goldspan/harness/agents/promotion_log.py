"""Which version an agent used, since when and why: `promotions.jsonl` beside `current`.

The log is the record; the store gets each line as an event, under an id of the line's own, so that
lines which an earlier store did not take are sent again and stored once.
"""

from __future__ import annotations

import fcntl
import getpass
import hashlib
import json
import os
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeAlias

from goldspan.harness.agents.version import AgentVersion
from goldspan.tracing import semconv
from goldspan.tracing.errors import ConfigError, InputError, NotStoredError, why
from goldspan.tracing.files import read_text, write_text
from goldspan.tracing.instrument import instrument

Action: TypeAlias = Literal["promote", "rollback"]
LOG = "promotions.jsonl"
CURRENT = "current"


@dataclass(frozen=True)
class Promotion:
    """One change of `current`. `time` is ISO 8601 in UTC, `by` who or what did it.

    `verdict` is the gate's, None where nothing was measured; `forced` that it was not a pass and
    was overridden, `because` the reason that was given. `experiment` and `baseline` are ids.
    """

    time: str
    action: Action
    agent: str
    from_version: str | None
    from_digest: str | None
    to_version: str
    to_digest: str
    by: str
    verdict: str | None = None
    forced: bool = False
    because: str | None = None
    suite: str | None = None
    suite_digest: str | None = None
    experiment: str | None = None
    baseline: str | None = None

    def to_line(self) -> str:
        """The line in the log."""
        return json.dumps(asdict(self), ensure_ascii=False)


def read_log(agent: Path) -> list[Promotion]:
    """The promotions of an agent's folder, oldest first. Raises `InputError` with the line."""
    path = agent / LOG
    if not path.exists():
        return []
    known = {field.name for field in fields(Promotion)}
    log = []
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            log.append(Promotion(**{k: v for k, v in value.items() if k in known}))
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"is no promotion: {error}",
                where=f"{path}:{number}",
                remedy="take the line out, or mend it",
            ) from None
    return log


def previous_version(log: list[Promotion], current: str) -> str | None:
    """The version that was in use before `current`; a rollback takes back what it went over."""
    path: list[str] = []
    for entry in log:
        if entry.from_version is not None and entry.from_version not in path[-1:]:
            path.append(entry.from_version)
        if entry.action == "rollback":
            path = path[:-1]  # what was left is nothing to come back to
            if entry.to_version in path:
                path = path[: len(path) - path[::-1].index(entry.to_version) - 1]
        path.append(entry.to_version)
    if current in path:
        path = path[: len(path) - path[::-1].index(current)]
        return path[-2] if len(path) > 1 else None
    return path[-1] if path else None


def record_promotion(agent: Path, promotion: Promotion) -> None:
    """Write the line, then set `current`, so that no change of it goes unrecorded.

    One at a time. Raises `ConfigError` where `current`, or the version that is to become it, is no
    longer what the decision was made on, and `InputError` where the files cannot be written.
    """
    log = agent / LOG
    try:
        with log.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            _check_unmoved(agent, promotion)
            end = file.seek(0, os.SEEK_END)
            file.seek(max(end - 1, 0))
            torn = end > 0 and file.read(1) != b"\n"
            line = f"{promotion.to_line()}\n"
            file.write((("\n" if torn else "") + line).encode())
            file.flush()
            os.fsync(file.fileno())
            write_text(agent / CURRENT, f"{promotion.to_version}\n")
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", where=str(log)) from None


def send_promotions(agent: Path, store: Path) -> None:
    """Have the store hold every line of the log as an event.

    Raises `NotStoredError`: `current` and the log stand all the same.
    """
    with instrument(store=store, service_name=agent.resolve().name) as telemetry:
        for entry in read_log(agent):
            name = semconv.AGENT_PROMOTED
            if entry.action == "rollback":
                name = semconv.AGENT_ROLLED_BACK
            telemetry.recorder.event(
                name,
                _attributes(entry),
                event_id=hashlib.sha256(entry.to_line().encode()).hexdigest()[:32],
                timestamp_ns=round(datetime.fromisoformat(entry.time).timestamp() * 1000)
                * 1_000_000,
            )
        try:
            telemetry.deliver(remedy="the next promotion or rollback sends it again")
        except NotStoredError as error:
            raise NotStoredError(
                f"current is set and logged, but the store has no event of it: {error.message}",
                where=str(store),
                remedy=error.remedy,
            ) from None


def now() -> str:
    """The time for a log's line."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def who() -> str:
    """Who promotes: the actor of a CI job, else the user of this process."""
    for name in ("GITHUB_ACTOR", "GITLAB_USER_LOGIN"):
        if os.environ.get(name):
            return os.environ[name]
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # a user id without a name, as in some containers
        return f"uid {os.getuid()}"


def _check_unmoved(agent: Path, promotion: Promotion) -> None:
    current = agent / CURRENT
    there = read_text(current, ConfigError).strip() if current.exists() else None
    if there != promotion.from_version:
        raise ConfigError(
            f"current is {there} now, and was {promotion.from_version} when this was decided",
            where=str(current),
            remedy="compare with what is current, and promote again",
        )
    if AgentVersion.load(agent / promotion.to_version).digest != promotion.to_digest:
        raise ConfigError(
            "has changed since it was measured",
            where=str(agent / promotion.to_version),
            remedy="leave it alone while the gate runs, and promote again",
        )


def _attributes(entry: Promotion) -> dict[str, Any]:
    return {
        semconv.AGENT_NAME: entry.agent,
        semconv.AGENT_VERSION: entry.to_version,
        semconv.AGENT_DIGEST: entry.to_digest,
        semconv.AGENT_PREVIOUS_VERSION: entry.from_version,
        semconv.AGENT_PREVIOUS_DIGEST: entry.from_digest,
        semconv.PROMOTED_BY: entry.by,
        semconv.PROMOTION_FORCED: entry.forced,
        semconv.REASON: entry.because,
        semconv.VERDICT: entry.verdict,
        semconv.SUITE: entry.suite,
        semconv.SUITE_DIGEST: entry.suite_digest,
        semconv.EXPERIMENT_ID: entry.experiment,
        semconv.BASELINE: entry.baseline,
    }
