"""What happens in each simulated run, step by step: spans and events as plain data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from goldspan.harness.simulator.plan import Plan
from goldspan.harness.simulator.tasks import ARGUMENTS, KINDS, RESULTS, TIMEOUT, Kind
from goldspan.harness.simulator.traffic import ABORTED, FAILED, OUTCOMES, PAUSED, Traffic
from goldspan.tracing import semconv

AGENT, VERSION = "support-desk", "v1.0.0"
DIGEST = hashlib.sha256(f"{AGENT} {VERSION}, simulated".encode()).hexdigest()
PROVIDER, MODEL = "openai", "gpt-4o-mini"
REVIEWERS = ("mara", "deniz", "oyelaran")
SECOND_NS = 10**9
END_FORMAT = "%Y%m%dT%H%M"  # in a run's id, after the plan's stem
_CONTRACT = {"max_tokens": 250_000, "max_tool_calls": 20, "max_usd": 0.05, "max_seconds": 3600.0}


@dataclass(slots=True)
class Step:
    """One span. `parent` is an index into the run's spans, None at the top."""

    name: str
    start_ns: int
    end_ns: int
    parent: int | None
    attributes: dict[str, Any]
    error: tuple[str, str] | None = None


@dataclass(slots=True)
class Said:
    """One event of the run, on its agent's span."""

    name: str
    at_ns: int
    attributes: dict[str, Any]


@dataclass(slots=True)
class Run:
    """A run: what stands on all of its records, its spans (the agent's first) and its events."""

    run_id: str
    shared: dict[str, Any]
    spans: list[Step] = field(default_factory=list)
    events: list[Said] = field(default_factory=list)


def runs_of(traffic: Traffic, plan: Plan, end: datetime) -> Iterator[Run]:
    """The runs one after the other. Same traffic, plan and end: same runs, same ids."""
    stem = f"{plan.stem}{end.astimezone(UTC):{END_FORMAT}}"
    rng = Random(plan.seed)
    for number in range(traffic.runs):
        started = datetime.fromtimestamp(float(traffic.started_s[number]), UTC)
        run_id = f"{stem}-{number:05d}"
        shared = {
            semconv.RUN_ID: run_id,
            semconv.BATCH_ID: f"simulated-{started:%Y-%m-%d}",
            semconv.AGENT_NAME: AGENT,
            semconv.AGENT_VERSION: VERSION,
            semconv.AGENT_DIGEST: DIGEST,
            semconv.CONVERSATION_ID: f"customer-{int(traffic.customer[number])}",
        }
        yield _Script(traffic, number, plan.error_rate, rng, Run(run_id, shared)).written()


class _Script:
    """Writes one run down, a clock in hand."""

    def __init__(
        self, traffic: Traffic, number: int, error_rate: float, rng: Random, run: Run
    ) -> None:
        self.traffic, self.number, self.error_rate = traffic, number, error_rate
        self.rng, self.run = rng, run
        self.kind: Kind = KINDS[int(traffic.kind[number])]
        self.outcome = int(traffic.outcome[number])
        self.asks = bool(traffic.asks[number])
        self.names = {"n": int(traffic.customer[number]), "m": int(traffic.subject[number])}
        self.now = int(traffic.started_s[number] * SECOND_NS)
        self.made = 0

    def written(self) -> Run:
        started, task = self.now, self.kind.input.format(**self.names)
        root = Step(f"invoke_agent {AGENT}", started, 0, None, {})
        self.run.spans.append(root)
        self._say(semconv.RUN_CONTRACT, {semconv.CONTRACT: json.dumps(_CONTRACT)})
        calls, tools = int(self.traffic.model_calls[self.number]), self._tools()
        for call in range(calls):
            last = call == calls - 1
            batch = [] if last else tools[2 * call : 2 * call + 2]
            self._model_call(call, task, batch)
            for tool in batch:
                self._tool_call(tool, approve=self.asks and tool is tools[-1])
        outcome = OUTCOMES[self.outcome]
        reason = self._ending(tools[-1])
        answer = self.kind.output.format(**self.names) if outcome == "completed" else None
        root.end_ns = self.now
        root.attributes = {
            semconv.OPERATION_NAME: semconv.INVOKE_AGENT,
            semconv.PROVIDER_NAME: PROVIDER,
            semconv.REQUEST_MODEL: MODEL,
            semconv.RUN_OUTCOME: outcome,
            semconv.RUN_REASON: reason,
            semconv.INPUT_MESSAGES: _message("user", task),
            semconv.OUTPUT_MESSAGES: _message("assistant", answer) if answer else None,
        }
        if self.outcome == FAILED:
            root.error = TIMEOUT
        return self.run

    def _tools(self) -> list[str]:
        count = int(self.traffic.tool_calls[self.number])
        tools = [self.kind.tools[i % len(self.kind.tools)] for i in range(count)]
        if self.asks:
            tools[-1] = self.kind.acts
        return tools

    def _model_call(self, call: int, task: str, tools: list[str]) -> None:
        index = int(self.traffic.first_call[self.number]) + call
        start = self.now
        self.now += int(self.traffic.call_ms[index] * 1e6)
        attributes = {
            semconv.OPERATION_NAME: semconv.CHAT,
            semconv.PROVIDER_NAME: PROVIDER,
            semconv.REQUEST_MODEL: MODEL,
            semconv.RESPONSE_MODEL: MODEL,
            semconv.RESPONSE_ID: f"{self.run.run_id}-{call}",
            semconv.INPUT_TOKENS: int(self.traffic.call_input_tokens[index]),
            semconv.OUTPUT_TOKENS: int(self.traffic.call_output_tokens[index]),
            semconv.FINISH_REASONS: ["tool_calls" if tools else "stop"],
        }
        if call == 0:
            attributes[semconv.INPUT_MESSAGES] = _message("user", task)
        if not tools and self.outcome not in (FAILED, ABORTED, PAUSED):
            answer = self.kind.output.format(**self.names)
            attributes[semconv.OUTPUT_MESSAGES] = _message("assistant", answer)
        self.run.spans.append(Step(f"chat {MODEL}", start, self.now, 0, attributes))

    def _tool_call(self, tool: str, *, approve: bool) -> None:
        if approve and not self._approved(tool):
            return
        start = self.now
        broken = self.rng.random() < self.error_rate
        seconds = 5.0 if broken else self.rng.lognormvariate(-1.9, 0.6)
        self.now += int(seconds * SECOND_NS)
        attributes = {
            semconv.OPERATION_NAME: semconv.EXECUTE_TOOL,
            semconv.TOOL_NAME: tool,
            semconv.TOOL_TYPE: "function",
            semconv.TOOL_CALL_ID: f"call-{self.made}",
            semconv.TOOL_ARGUMENTS: ARGUMENTS[tool].format(**self.names),
            semconv.TOOL_RESULT: None if broken else RESULTS[tool].format(**self.names),
        }
        self.made += 1
        error = TIMEOUT if broken else None
        name = f"execute_tool {tool}"
        self.run.spans.append(Step(name, start, self.now, 0, attributes, error))

    def _approved(self, tool: str) -> bool:
        approval_id = f"{self.run.run_id}-approval"
        asked = {
            semconv.APPROVAL_ID: approval_id,
            semconv.APPROVAL_KIND: "reviewer",
            semconv.APPROVAL_TOOL: tool,
            semconv.APPROVAL_ARGUMENTS: ARGUMENTS[tool].format(**self.names),
            semconv.APPROVAL_DRAFT: self.kind.output.format(**self.names),
            semconv.APPROVAL_RISK: "It leaves the company and cannot be called back.",
            semconv.APPROVAL_RECOMMENDATION: "approve",
        }
        self._say(semconv.APPROVAL_REQUESTED, asked)
        if self.outcome == PAUSED:
            return False
        wait_s = self.rng.lognormvariate(5.2, 0.7)
        self.now += int(wait_s * SECOND_NS)
        denied = self.rng.random() < 0.08
        self._say(
            semconv.APPROVAL_DECIDED,
            {
                semconv.APPROVAL_ID: approval_id,
                semconv.APPROVAL_TOOL: tool,
                semconv.APPROVAL_DECISION: "deny" if denied else "approve",
                semconv.APPROVAL_REVIEWER: self.rng.choice(REVIEWERS),
                semconv.APPROVAL_WAIT_MS: wait_s * 1000,
            },
        )
        return not denied

    def _ending(self, tool: str) -> str | None:
        reason, actions = None, None
        if self.outcome == PAUSED:
            reason = f"{tool} waits for a reviewer"
            actions = [f"decide the approval: {reason}"]
            self._say(semconv.RUN_PAUSED, {semconv.REASON: reason})
        elif self.outcome == FAILED:
            reason = TIMEOUT[1]
            actions = [f"look at the trace: {reason}"]
        elif self.outcome == ABORTED:
            reason = f"{tool} was called 4 times with the same arguments"
            actions = [f"look at what the guard stopped: {reason}"]
            incident = {
                semconv.INCIDENT_KIND: "guard:loop",
                semconv.INCIDENT_SEVERITY: "warning",
                semconv.INCIDENT_TOOL: tool,
                semconv.REASON: reason,
            }
            self._say(semconv.INCIDENT, incident)
        ended = {
            semconv.RUN_OUTCOME: OUTCOMES[self.outcome],
            semconv.RUN_REASON: reason,
            semconv.NEXT_ACTIONS: actions,
        }
        self._say(semconv.RUN_ENDED, ended)
        return reason

    def _say(self, name: str, attributes: dict[str, Any]) -> None:
        self.run.events.append(Said(name, self.now, attributes))


def _message(role: str, text: str) -> str:
    part = {"type": "text", "content": text}
    return json.dumps([{"role": role, "parts": [part]}], ensure_ascii=False)
