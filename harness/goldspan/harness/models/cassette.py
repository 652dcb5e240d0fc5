"""Cassettes: real model answers, recorded once and replayed at no cost.

A cassette is a JSON-lines file (gzip where its name ends in `.gz`), one answer a line:

    {"case", "repeat", "seed", "agent", "nth", "request", "answer": {…}}

The key is the digest of the canonical request within its scope (case, repeat, sampling seed, agent
digest, nth occurrence), never the order of arrival: concurrent runs replay what they recorded.

A cassette is a file for git: answers are redacted before they are written, and the run that records
goes on with the redacted answer, as every replay will. Keys are digests and stay as they are.
"""

from __future__ import annotations

import gzip
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeAlias

from goldspan.harness.models.messages import ModelAnswer, ModelRequest
from goldspan.tracing.errors import InputError, MeasurementError
from goldspan.tracing.redaction import Policy, policy_path

LINE_START = '{"case":'
Key: TypeAlias = tuple[str, int, int, str, int, str]


@dataclass(frozen=True)
class Scope:
    """Whose answers these are: one run of one case by one agent version."""

    case: str
    repeat: int = 0
    seed: int = 0
    agent: str = ""

    def __str__(self) -> str:
        return f"case {self.case}, repeat {self.repeat}, seed {self.seed}, agent {self.agent[:12]}"


class Cassette:
    """The answers of one file, by key. Safe to use from several tasks and threads at once."""

    def __init__(self, path: Path, redaction: Policy | None = None) -> None:
        self.path = path
        self._redaction = redaction or Policy.load(policy_path(path))
        self._answers: dict[Key, dict[str, Any]] = {}
        self._lock = threading.Lock()

    @classmethod
    def open(cls, path: Path, *, create: bool = False, redaction: Policy | None = None) -> Cassette:
        """Read a cassette, or with `create` begin one or go on with it.

        A last line that a killed recording left unfinished is passed over, and cut off where the
        recording goes on. What is added is redacted by `redaction`, else by the policy that the
        environment names or that lies beside the cassette. Raises `InputError` that names the line
        where the file is not a cassette, or where it is not there and `create` is off.
        """
        cassette = cls(path, redaction)
        if not path.exists():
            if create:
                return cassette
            raise InputError(
                "there is no such cassette", where=str(path), remedy="record it with --record"
            )
        lines = list(_lines(path))
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                cassette._answers[_row_key(row)] = row["answer"]
            except (ValueError, KeyError, TypeError) as error:
                unfinished = number == len(lines) and not line.endswith("\n")
                if unfinished and LINE_START.startswith(line[: len(LINE_START)]):
                    if create:
                        cassette._cut(lines[:-1])
                    break
                raise InputError(
                    f"not a line of a cassette ({error})",
                    where=f"{path}:{number}",
                    remedy="record it anew with --record",
                ) from None
        return cassette

    def __len__(self) -> int:
        return len(self._answers)

    def find(self, scope: Scope, nth: int, request: str) -> ModelAnswer | None:
        """The recorded answer to the nth occurrence of a request in a scope, or None."""
        answer = self._answers.get(_key(scope, nth, request))
        return None if answer is None else ModelAnswer(**answer, replayed=True)

    def add(self, scope: Scope, nth: int, request: str, answer: ModelAnswer) -> ModelAnswer:
        """Keep an answer, at once also in the file; returns it as it was kept, redacted.

        Raises `OSError` where it cannot be written.
        """
        answer = self._redaction.scrub_value(answer)
        body = {
            k: v
            for k, v in asdict(answer).items()
            if k != "replayed"
            and v is not None
            and v != ModelAnswer.__dataclass_fields__[k].default
        }
        row = {
            "case": scope.case,
            "repeat": scope.repeat,
            "seed": scope.seed,
            "agent": scope.agent,
            "nth": nth,
            "request": request,
            "answer": body,
        }
        line = json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n"
        with self._lock:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            opener = gzip.open if self.path.suffix == ".gz" else open
            with opener(self.path, "at", encoding="utf-8") as file:
                file.write(line)
            self._answers[_key(scope, nth, request)] = body
        return answer

    def missing(self, scope: Scope, nth: int, request: ModelRequest) -> MeasurementError:
        """The error for an answer that is not here; it says what was asked and what may differ."""
        same_case = [key for key in self._answers if key[0] == scope.case]
        if not same_case:
            why = "nothing was recorded for this case"
        elif not any(key[3] == scope.agent for key in same_case):
            why = (
                "the agent version differs from the recorded one (prompt, tools or config changed)"
            )
        elif not any(key[1:4] == (scope.repeat, scope.seed, scope.agent) for key in same_case):
            why = "this repeat or seed was not recorded"
        else:
            why = "the conversation differs from the recorded one (tool result, prompt or schema)"
        turn = sum(1 for m in request.messages if m["role"] == "assistant") + 1
        return MeasurementError(
            f"no recorded answer for {scope}, model call {turn}, "
            f"request {request.digest()[:12]}: {why}",
            where=str(self.path),
            remedy="record it with --record, or run it live with --live",
        )

    def _cut(self, lines: list[str]) -> None:
        opener = gzip.open if self.path.suffix == ".gz" else open
        partial = self.path.with_name(self.path.name + ".part")
        with opener(partial, "wt", encoding="utf-8") as file:
            file.writelines(lines)
        partial.replace(self.path)


class Occurrences:
    """Counts how often a run has made the same request, so that each has its own answer."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def next(self, request: str) -> int:
        """0 for the first occurrence of a request digest, then 1, 2 …"""
        nth = self._seen[request]
        self._seen[request] += 1
        return nth


def _lines(path: Path) -> Iterator[str]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            yield from file
    except EOFError:
        return
    except (gzip.BadGzipFile, UnicodeDecodeError) as error:
        raise InputError(f"not a cassette ({error})", where=str(path)) from None


def _key(scope: Scope, nth: int, request: str) -> Key:
    return (scope.case, scope.repeat, scope.seed, scope.agent, nth, request)


def _row_key(row: dict[str, Any]) -> Key:
    scope = Scope(row["case"], row["repeat"], row["seed"], row["agent"])
    return _key(scope, row["nth"], row["request"])
