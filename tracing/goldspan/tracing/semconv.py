"""Every attribute and event name that Goldspan reads or writes, in one place.

Names of the OpenTelemetry GenAI conventions come from `opentelemetry.semconv` where the installed
version has them; ours begin with `goldspan.`. Nothing else in the code spells a name out.
"""

from __future__ import annotations

from typing import Final

from opentelemetry.semconv._incubating.attributes import (
    enduser_attributes,
    gen_ai_attributes,
    session_attributes,
    user_attributes,
)
from opentelemetry.semconv.attributes import (
    error_attributes,
    exception_attributes,
    service_attributes,
)

# -- conventions: what the span is
OPERATION_NAME: Final = gen_ai_attributes.GEN_AI_OPERATION_NAME
PROVIDER_NAME: Final = gen_ai_attributes.GEN_AI_PROVIDER_NAME
SYSTEM: Final = "gen_ai.system"  # the provider's name before conventions 1.37
OUTPUT_TYPE: Final = gen_ai_attributes.GEN_AI_OUTPUT_TYPE
AGENT_ID: Final = gen_ai_attributes.GEN_AI_AGENT_ID
AGENT_NAME: Final = gen_ai_attributes.GEN_AI_AGENT_NAME
AGENT_VERSION: Final = gen_ai_attributes.GEN_AI_AGENT_VERSION
CONVERSATION_ID: Final = gen_ai_attributes.GEN_AI_CONVERSATION_ID
SESSION_ID: Final = session_attributes.SESSION_ID
USER_ID: Final = user_attributes.USER_ID
ENDUSER_ID: Final = enduser_attributes.ENDUSER_ID
SERVICE_NAME: Final = service_attributes.SERVICE_NAME
ERROR_TYPE: Final = error_attributes.ERROR_TYPE
EXCEPTION_TYPE: Final = exception_attributes.EXCEPTION_TYPE
EXCEPTION_MESSAGE: Final = exception_attributes.EXCEPTION_MESSAGE
EVENT_NAME: Final = "event.name"  # where emitters put it before log records had the field

# -- conventions: operations
CHAT: Final = "chat"
GENERATE_CONTENT: Final = "generate_content"
TEXT_COMPLETION: Final = "text_completion"
EMBEDDINGS: Final = "embeddings"
EXECUTE_TOOL: Final = "execute_tool"
INVOKE_AGENT: Final = "invoke_agent"
CREATE_AGENT: Final = "create_agent"
INVOKE_WORKFLOW: Final = "invoke_workflow"

# -- conventions: the model call
REQUEST_MODEL: Final = gen_ai_attributes.GEN_AI_REQUEST_MODEL
REQUEST_TEMPERATURE: Final = gen_ai_attributes.GEN_AI_REQUEST_TEMPERATURE
REQUEST_TOP_P: Final = gen_ai_attributes.GEN_AI_REQUEST_TOP_P
REQUEST_MAX_TOKENS: Final = gen_ai_attributes.GEN_AI_REQUEST_MAX_TOKENS
REQUEST_SEED: Final = gen_ai_attributes.GEN_AI_REQUEST_SEED
REQUEST_STOP_SEQUENCES: Final = gen_ai_attributes.GEN_AI_REQUEST_STOP_SEQUENCES
REQUEST_PREFIX: Final = "gen_ai.request."
RESPONSE_MODEL: Final = gen_ai_attributes.GEN_AI_RESPONSE_MODEL
RESPONSE_ID: Final = gen_ai_attributes.GEN_AI_RESPONSE_ID
FINISH_REASONS: Final = gen_ai_attributes.GEN_AI_RESPONSE_FINISH_REASONS
TIME_TO_FIRST_CHUNK: Final = gen_ai_attributes.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK  # seconds
INPUT_TOKENS: Final = gen_ai_attributes.GEN_AI_USAGE_INPUT_TOKENS
OUTPUT_TOKENS: Final = gen_ai_attributes.GEN_AI_USAGE_OUTPUT_TOKENS
CACHED_INPUT_TOKENS: Final = gen_ai_attributes.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS
CACHE_WRITE_TOKENS: Final = gen_ai_attributes.GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS
REASONING_TOKENS: Final = gen_ai_attributes.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS
SYSTEM_INSTRUCTIONS: Final = gen_ai_attributes.GEN_AI_SYSTEM_INSTRUCTIONS
INPUT_MESSAGES: Final = gen_ai_attributes.GEN_AI_INPUT_MESSAGES
OUTPUT_MESSAGES: Final = gen_ai_attributes.GEN_AI_OUTPUT_MESSAGES
TOOL_DEFINITIONS: Final = gen_ai_attributes.GEN_AI_TOOL_DEFINITIONS

# -- conventions: the tool call
TOOL_NAME: Final = gen_ai_attributes.GEN_AI_TOOL_NAME
TOOL_TYPE: Final = gen_ai_attributes.GEN_AI_TOOL_TYPE
TOOL_CALL_ID: Final = gen_ai_attributes.GEN_AI_TOOL_CALL_ID
TOOL_ARGUMENTS: Final = gen_ai_attributes.GEN_AI_TOOL_CALL_ARGUMENTS
TOOL_RESULT: Final = gen_ai_attributes.GEN_AI_TOOL_CALL_RESULT

# -- conventions: events
OPERATION_DETAILS: Final = "gen_ai.client.inference.operation.details"
EVALUATION_RESULT: Final = "gen_ai.evaluation.result"
EVALUATION_NAME: Final = gen_ai_attributes.GEN_AI_EVALUATION_NAME
EVALUATION_SCORE: Final = gen_ai_attributes.GEN_AI_EVALUATION_SCORE_VALUE
EVALUATION_LABEL: Final = gen_ai_attributes.GEN_AI_EVALUATION_SCORE_LABEL
EVALUATION_EXPLANATION: Final = gen_ai_attributes.GEN_AI_EVALUATION_EXPLANATION

# -- ours: the run
RUN_ID: Final = "goldspan.run.id"
RUN_ATTEMPT: Final = "goldspan.run.attempt"
RUN_OUTCOME: Final = "goldspan.run.outcome"
RUN_REASON: Final = "goldspan.run.reason"
RUN_SEGMENT: Final = "goldspan.run.segment"  # 1 for the first life of a run
RUN_SETUP: Final = "goldspan.run.setup"  # JSON: what the run's world began with
RUN_SETUP_BYTES: Final = "goldspan.run.setup.bytes"  # in its place, where it is too long to keep
RUN_WAITS_FOR: Final = "goldspan.run.waits_for"  # approval|breaker|kill|unknown, and which
CALL_KEY: Final = "goldspan.call.key"
CALL_RECOVERY: Final = "goldspan.call.recovery"  # asked|person|repeated
BATCH_ID: Final = "goldspan.batch.id"
AGENT_DIGEST: Final = "goldspan.agent.digest"
SIMULATED: Final = "goldspan.simulated"
REPLAYED: Final = "goldspan.replayed"
IMPORTED_FROM: Final = "goldspan.imported.from"  # file and place of a recorded run
IMPORTED_FORMAT: Final = "goldspan.imported.format"
TIMES_MADE_UP: Final = "goldspan.times.made_up"  # the record has the order of steps only
EVENT_ID: Final = "goldspan.event.id"
STEP: Final = "goldspan.step"
EXPERIMENT_ID: Final = "goldspan.experiment.id"
SUITE: Final = "goldspan.suite"
SUITE_DIGEST: Final = "goldspan.suite.digest"
CASE_ID: Final = "goldspan.case.id"
CASE_DIGEST: Final = "goldspan.case.digest"
CASE_REPEAT: Final = "goldspan.case.repeat"

# -- ours: which agent version is in use, and why
AGENT_PROMOTED: Final = "goldspan.agent.promoted"
AGENT_ROLLED_BACK: Final = "goldspan.agent.rolled_back"
AGENT_PREVIOUS_VERSION: Final = "goldspan.agent.previous_version"
AGENT_PREVIOUS_DIGEST: Final = "goldspan.agent.previous_digest"
PROMOTED_BY: Final = "goldspan.promotion.by"
PROMOTION_FORCED: Final = "goldspan.promotion.forced"

# -- ours: event names
RUN_CONTRACT: Final = "goldspan.run.contract"
RUN_PAUSED: Final = "goldspan.run.paused"
RUN_RESUMED: Final = "goldspan.run.resumed"
CALL_RECOVERED: Final = "goldspan.call.recovered"
RUN_ENDED: Final = "goldspan.run.ended"
DECISION: Final = "goldspan.decision"
GUARD_VERDICT: Final = (
    "goldspan.guard.verdict"  # the event, and the attribute: allow|deny|pause|stop
)
APPROVAL_REQUESTED: Final = "goldspan.approval.requested"
APPROVAL_DECIDED: Final = "goldspan.approval.decided"
ARTIFACT: Final = "goldspan.artifact"
INCIDENT: Final = "goldspan.incident"
ALERT: Final = "goldspan.alert"
CASE_ENDED: Final = "goldspan.case.ended"
EXPERIMENT_STARTED: Final = "goldspan.experiment.started"
EXPERIMENT_ENDED: Final = "goldspan.experiment.ended"
EXPERIMENT_JUDGED: Final = "goldspan.experiment.judged"

# -- ours: failures, routing, context: events, then their attributes
CALL_FAILED: Final = "goldspan.call.failed"
BREAKER_CHANGED: Final = "goldspan.breaker.changed"
PART_PENDING: Final = "goldspan.part.pending"
MODEL_ROUTED: Final = "goldspan.model.routed"
CONTEXT_COMPACTED: Final = "goldspan.context.compacted"
ERROR_CLASS: Final = "goldspan.error.class"  # retry|never|unknown
LATENCY_MS: Final = "goldspan.latency_ms"
RETRY_AT: Final = "goldspan.retry.at"  # ISO 8601; absent where there is no further attempt
RETRY_WAIT_MS: Final = "goldspan.retry.wait_ms"  # as drawn
BREAKER_STATE: Final = "goldspan.breaker.state"  # closed|half|open
BREAKER_FAILURES: Final = "goldspan.breaker.failures"  # in a row
BREAKER_THRESHOLD: Final = "goldspan.breaker.threshold"  # failures in a row that open it
BREAKER_RETRY_AT: Final = "goldspan.breaker.retry_at"  # ISO 8601
ROUTE_FROM: Final = "goldspan.route.from"  # provider/model
ROUTE_TO: Final = "goldspan.route.to"
ROUTE_WHY: Final = "goldspan.route.why"  # failure|unreadable|confidence|stumble
CONTEXT_WINDOW: Final = "goldspan.context.window_tokens"
CONTEXT_BEFORE: Final = "goldspan.context.before_tokens"  # estimated
CONTEXT_AFTER: Final = "goldspan.context.after_tokens"  # estimated
CONTEXT_RESULTS: Final = "goldspan.context.compacted_results"
CONTEXT_DROPPED: Final = "goldspan.context.dropped_messages"

# -- ours: attributes of events
REASON: Final = "goldspan.reason"
CONTRACT: Final = "goldspan.contract"  # JSON
NEXT_ACTIONS: Final = "goldspan.next_actions"  # string[]
PASSED: Final = "goldspan.passed"
UNMEASURED: Final = "goldspan.unmeasured"
CASE_RESULT: Final = "goldspan.case.result"  # JSON
EXPERIMENT_RESULT: Final = "goldspan.experiment.result"  # JSON
VERDICT: Final = "goldspan.verdict"  # pass|regression|inconclusive|unmeasured
BASELINE: Final = "goldspan.baseline"
EVALUATOR: Final = "goldspan.evaluator"
EVALUATION_COST: Final = "goldspan.evaluation.cost_usd"
JUDGING: Final = "goldspan.judging"  # JSON
JUDGE: Final = "goldspan.judge"  # JSON
JUDGE_DIGEST: Final = "goldspan.judge.digest"
JUDGE_MODEL: Final = "goldspan.judge.model"
JUDGE_ANSWERED_AS: Final = "goldspan.judge.answered_as"
GUARD_NAME: Final = "goldspan.guard.name"
DECISION_CHOSEN: Final = "goldspan.decision.chosen"
DECISION_ALTERNATIVES: Final = "goldspan.decision.alternatives"  # string[]
DECISION_CONFIDENCE: Final = "goldspan.decision.confidence"
APPROVAL_ID: Final = "goldspan.approval.id"
APPROVAL_KIND: Final = "goldspan.approval.kind"
APPROVAL_TOOL: Final = "goldspan.approval.tool"
APPROVAL_ARGUMENTS: Final = "goldspan.approval.arguments"  # JSON
APPROVAL_DRAFT: Final = "goldspan.approval.draft"
APPROVAL_CLAIMS: Final = "goldspan.approval.claims"  # JSON
APPROVAL_RISK: Final = "goldspan.approval.risk"
APPROVAL_RECOMMENDATION: Final = "goldspan.approval.recommendation"
APPROVAL_DECISION: Final = "goldspan.approval.decision"  # approve|edit|deny
APPROVAL_REVIEWER: Final = "goldspan.approval.reviewer"
APPROVAL_WAIT_MS: Final = "goldspan.approval.wait_ms"
ARTIFACT_NAME: Final = "goldspan.artifact.name"
ARTIFACT_KIND: Final = "goldspan.artifact.kind"
ARTIFACT_PATH: Final = "goldspan.artifact.path"
ARTIFACT_SHA256: Final = "goldspan.artifact.sha256"
INCIDENT_KIND: Final = "goldspan.incident.kind"
INCIDENT_SEVERITY: Final = "goldspan.incident.severity"
INCIDENT_TOOL: Final = "goldspan.incident.tool"
ALERT_ID: Final = "goldspan.alert.id"
ALERT_MONITOR: Final = "goldspan.alert.monitor"
ALERT_SEVERITY: Final = "goldspan.alert.severity"
ALERT_METRIC: Final = "goldspan.alert.metric"
ALERT_STARTED_AT: Final = "goldspan.alert.started_at"  # ISO 8601
ALERT_ENDED_AT: Final = "goldspan.alert.ended_at"
ALERT_VALUE: Final = "goldspan.alert.value"
ALERT_BASELINE: Final = "goldspan.alert.baseline"
ALERT_UNIT: Final = "goldspan.alert.unit"
ALERT_EXPLANATION: Final = "goldspan.alert.explanation"

# -- ours: a run again, and an agent's grade
REPLAY_OF: Final = "goldspan.replay.of"  # the trace that is replayed
REPLAY_COMPARED: Final = "goldspan.replay.compared"  # the event
REPLAY_VERDICT: Final = "goldspan.replay.verdict"  # same|differs
REPLAY_KIND: Final = "goldspan.replay.kind"  # request|call|result|end
REPLAY_RECORDED: Final = "goldspan.replay.recorded"
REPLAY_REPLAYED: Final = "goldspan.replay.replayed"
INCIDENT_WALKED: Final = "goldspan.incident.walked"  # the event: a person looked at the trace
INCIDENT_SUSPECTS: Final = "goldspan.incident.suspects"  # string[]: steps that stand out
AGENT_CHECKED: Final = "goldspan.agent.checked"  # the event
AGENT_GRADE: Final = "goldspan.agent.grade"  # Production|Beta|Internal|Don't ship
AGENT_MISSING: Final = "goldspan.agent.missing"  # string[]: lines of the checklist

# -- ours: untrusted text, and commands in a sandbox
TEXT_SEEN: Final = "goldspan.text.seen"  # the event: a text entered the context
TEXT_SOURCE: Final = "goldspan.text.source"  # user|session|document|tool:NAME|operator
TEXT_TRUSTED: Final = "goldspan.text.trusted"
TEXT_MARKED: Final = "goldspan.text.marked"
TEXT_DIGEST: Final = "goldspan.text.sha256"
INJECTION_HINTS: Final = "goldspan.injection.hints"  # string[]
SANDBOX_RUN: Final = "goldspan.sandbox.run"
SANDBOX_COMMAND: Final = "goldspan.sandbox.command"  # string[]
SANDBOX_EXIT_CODE: Final = "goldspan.sandbox.exit_code"
SANDBOX_LIMIT: Final = "goldspan.sandbox.limit"  # time|memory|processes
SANDBOX_SECONDS: Final = "goldspan.sandbox.seconds"
SANDBOX_REMOVED: Final = "goldspan.sandbox.removed"  # string[]

# -- ours: approvals beyond being asked and decided
APPROVAL_SIGNED: Final = "goldspan.approval.signed"  # the event: the first of two reviewers agreed
APPROVAL_AUTO: Final = "goldspan.approval.auto"  # the event: a rule let a call go by itself
APPROVAL_USED: Final = "goldspan.approval.used"  # the event: the call that was approved is made
APPROVAL_REVIEWED: Final = (
    "goldspan.approval.reviewed"  # the event: an auto-approved call was looked at
)
APPROVAL_SAMPLED: Final = "goldspan.approval.sampled"
CALL_RESOLVED: Final = "goldspan.call.resolved"  # the event: a person says what became of a call
CALL_MADE: Final = "goldspan.call.made"
# -- ours: operation
KILL: Final = "goldspan.kill"
KILL_LIFTED: Final = "goldspan.kill.lifted"
KILL_SCOPE: Final = "goldspan.kill.scope"  # all|agent:NAME|run:ID
KILL_BY: Final = "goldspan.kill.by"
CALL_CUT: Final = "goldspan.call.cut"
CALL_STEP: Final = "goldspan.call.step"
CALL_FINISHED: Final = "goldspan.call.finished"  # it could not be cut, and its result is kept
DRILL: Final = "goldspan.drill"
DRILL_RESULT: Final = "goldspan.drill.result"  # JSON
RUN_QUEUED: Final = "goldspan.run.queued"
RUN_SOURCE: Final = "goldspan.run.source"  # file|schedule:NAME|trigger:NAME
RUN_DELIVERED: Final = "goldspan.run.delivered"
RUN_UNDELIVERED: Final = "goldspan.run.undelivered"
DELIVERY_TARGET: Final = "goldspan.delivery.target"
DELIVERY_ATTEMPT: Final = "goldspan.delivery.attempt"
DELIVERY_RESULT: Final = "goldspan.delivery.result"  # JSON, where the store is the target
ENGINE_PRUNED: Final = "goldspan.engine.pruned"
ENGINE_PRUNED_RUNS: Final = "goldspan.engine.pruned.runs"

# -- ours: a cap over all runs had no room for a call
CAP_REACHED: Final = "goldspan.cap.reached"
CAP_SCOPE: Final = "goldspan.cap.scope"  # cap:TOOL or cap:CLASS, and the day
CAP_UNIT: Final = "goldspan.cap.unit"
CAP_WANTED: Final = "goldspan.cap.wanted"
CAP_LIMIT: Final = "goldspan.cap.limit"

# -- ours: the gates of the final answer
ANSWER_CHECKED: Final = "goldspan.answer.checked"  # the event: a gate has judged an answer
ANSWER_GATE: Final = "goldspan.answer.gate"
ANSWER_OUTCOME: Final = "goldspan.answer.outcome"  # passed|told|failed|escalated
ANSWER_FAULTS: Final = "goldspan.answer.faults"  # string[]

# -- ours: a session's progress file
PROGRESS_READ: Final = "goldspan.progress.read"  # the event: a run was told its notes
PROGRESS_NOTED: Final = "goldspan.progress.noted"  # the event: a note was written
PROGRESS_NOTES: Final = "goldspan.progress.notes"  # how many there were
PROGRESS_DONE: Final = "goldspan.progress.done"  # string[]
PROGRESS_NEXT: Final = "goldspan.progress.next"  # string[]

# -- ours: sessions
SESSION_EARLIER: Final = "goldspan.session.earlier"  # JSON: what the run was told of earlier ones

# -- ours: a guard stopped a run, and a person takes over
RUN_ESCALATED: Final = "goldspan.run.escalated"
ESCALATION_TASK: Final = "goldspan.escalation.task"
ESCALATION_SAID: Final = "goldspan.escalation.said"  # what the model said last
ESCALATION_CALLS: Final = "goldspan.escalation.calls"  # JSON: the last calls, what came of each
