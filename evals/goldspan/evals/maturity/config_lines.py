"""The lines that an agent's folder answers: limits, tools, approvals, versions."""

from __future__ import annotations

from goldspan.evals.maturity.model import Evidence, Finding, Line
from goldspan.harness.agents.promotion_log import previous_version
from goldspan.harness.agents.scaffold import README
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.files import read_text

LIMITS = ("max_tokens", "max_tool_calls", "max_seconds", "max_iterations")
SECRET = "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"  # the provider's example


def _whole(seen: Evidence) -> Finding:
    if seen.fault is not None:
        return Finding(False, seen.fault, "mend the version's folder or its environment")
    return Finding(True, f"{len(seen.tools)} tools of {seen.version.config.environment}")


def _limits(seen: Evidence) -> Finding:
    left = [name for name in LIMITS if name not in seen.stated_limits]
    contract = seen.version.config.contract
    told = ", ".join(f"{name}={getattr(contract, name):g}" for name in LIMITS)
    return Finding(not left, told, f"state {', '.join(left)} in config.yaml: now the defaults hold")


def _acts_ask(seen: Evidence) -> Finding:
    said = {e.name for e in seen.version.entries if e.needs_approval is not None}
    acts = [tool.name for tool in seen.tools if tool.action_class == "act"]
    unasked = [name for name in acts if name not in seen.asks]
    silent = [name for name in unasked if name not in said]
    told = f"{len(acts)} acting tools, {len(acts) - len(unasked)} wait for a person"
    if unasked:
        told += f"; without: {', '.join(unasked)}"
    remedy = f"decide needs_approval in tools.yaml for {', '.join(silent)}"
    return Finding(not silent, told, remedy)


def _secrets(seen: Evidence) -> Finding:
    kept = seen.policy.scrub_text(SECRET) == SECRET
    told = "secrets are stored as they come" if kept else "secrets are redacted before storing"
    return Finding(not kept, told, "switch patterns: secrets on in redaction.yaml")


def _current(seen: Evidence) -> Finding:
    current = seen.home.current
    wrong = seen.home.unlogged()
    if wrong is not None:
        return Finding(False, wrong, "promote or roll back by command, so that it is logged")
    if current != seen.version.version:
        return Finding(False, f"current is {current}", "promote this version")
    return Finding(True, f"current is {current}")


def _readme(seen: Evidence) -> Finding:
    path = seen.version.path / "README.md"
    text = read_text(path, ConfigError).strip() if path.is_file() else ""
    untouched = README.split("\n", 1)[1].format(since="").strip()[:30]
    written = bool(text) and untouched not in text and len(text.splitlines()) > 1
    told = f"README.md has {len(text.splitlines())} lines"
    return Finding(written, told, "say there what the version is for, and who looks after it")


def _usd(seen: Evidence) -> Finding:
    config = seen.version.config
    limit = config.contract.max_usd
    if limit is None:
        return Finding(False, "no budget in USD", "set contract.max_usd in config.yaml")
    known = seen.prices.knows(config.provider, config.model)
    told = (
        f"{limit:g} USD a run; {config.provider}/{config.model} has {'a' if known else 'no'} price"
    )
    return Finding(known, told, "give the model a price in prices.yaml")


def _previews(seen: Evidence) -> Finding:
    asks = [tool for tool in seen.tools if tool.name in seen.asks]
    blind = [tool.name for tool in asks if tool.preview is None]
    told = f"{len(asks) - len(blind)} of {len(asks)} show a reviewer what would be done"
    return Finding(not blind, told, f"give {', '.join(blind)} a preview: draft, evidence, risk")


def _back(seen: Evidence) -> Finding:
    before = previous_version(seen.home.log(), seen.version.version)
    if before is None:
        return Finding(
            False, "no version was in use before", "promote by command: the log knows the way back"
        )
    try:
        seen.home.own_version(before)
    except ConfigError as error:
        return Finding(False, str(error), f"keep {before} whole: a rollback needs it")
    return Finding(True, f"goldspan agent rollback goes to {before}")


def _untrusted(seen: Evidence) -> Finding:
    sources = [tool.name for tool in seen.tools if tool.untrusted_output]
    loose = [t.name for t in seen.tools if t.action_class == "act" and t.name not in seen.asks]
    told = f"untrusted text from {', '.join(sources) or 'no tool'}"
    remedy = f"let {', '.join(loose)} wait for a person: what others wrote may steer the model"
    return Finding(not (sources and loose), told, remedy)


def _pinned(seen: Evidence) -> Finding:
    model = seen.version.config.model
    moving = model.endswith("latest") or model.endswith("preview")
    told = f"{seen.version.config.provider}:{model}"
    return Finding(not moving, told, "name a dated model: an alias changes without a promotion")


def _gate(seen: Evidence) -> Finding:
    into = [e for e in seen.home.log() if e.to_version == seen.version.version]
    last = into[-1] if into else None
    if last is None or last.to_digest != seen.version.digest:
        why = "it was never promoted" if last is None else "it was changed after its promotion"
        return Finding(False, why, "goldspan agent promote VERSION --suite SUITE")
    told = f"{last.action} on {last.time[:10]} by {last.by}, gate: {last.verdict or 'not asked'}"
    passed = last.verdict == "pass" and not last.forced
    return Finding(passed, told, "promote it through the gate, not over it")


CONFIG_LINES = (
    Line("whole", "Internal", "Does the version load, with every tool that it lists?", _whole),
    Line("limits", "Internal", "Are the limits of a run stated, not left to defaults?", _limits),
    Line("acts-ask", "Internal", "Is it decided for each acting tool who approves it?", _acts_ask),
    Line("secrets", "Internal", "Are secrets redacted before anything is stored?", _secrets),
    Line("current", "Beta", "Is this version current, by a logged promotion?", _current),
    Line("readme", "Beta", "Does the version say what it is for?", _readme),
    Line("usd", "Beta", "Is there a budget in USD, and a price for the model?", _usd),
    Line("previews", "Beta", "Does a reviewer see what a call would do?", _previews),
    Line("rollback", "Beta", "Is there a whole version to go back to?", _back),
    Line("untrusted", "Production", "Where it reads others' text, does every act ask?", _untrusted),
    Line("pinned", "Production", "Is the model a fixed one?", _pinned),
    Line("gate", "Production", "Did it become current by passing the gate?", _gate),
)
