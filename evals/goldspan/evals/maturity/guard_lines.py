"""The lines on what holds a run back: caps, breakers, where tools may reach, what a run costs."""

from __future__ import annotations

from goldspan.evals.maturity.model import Evidence, Finding, Line
from goldspan.harness.guards import typical_cost
from goldspan.harness.tools import Tool
from goldspan.tracing.errors import ConfigError

ADDRESSES = frozenset(
    {
        "address",
        "bcc",
        "cc",
        "domain",
        "email",
        "endpoint",
        "host",
        "hostname",
        "link",
        "recipient",
        "recipients",
        "to",
        "uri",
        "url",
        "urls",
        "webhook",
    }
)
FORMATS = frozenset({"uri", "url", "email", "hostname"})


def _typical(seen: Evidence) -> Finding:
    config = seen.version.config
    contract = config.contract
    priced = seen.prices.knows(config.provider, config.model)
    costs = seen.engine.costs if seen.engine is not None else ()
    missing = "state typical_usd (typical_tokens without a price), or let it make 10 durable runs"
    try:
        known = typical_cost(contract, costs, priced=priced)
    except ConfigError:
        known = None
    if known is None or known.assumed:
        told = f"{len(costs)} durable runs, and no cost configured"
        return Finding(False, told, missing)
    told = (
        f"{known.amount:.4g} {known.unit} a run, {known.source}: alarm at {contract.alarm_at:g},"
        f" stop at {contract.stop_at:g} times that"
    )
    return Finding(True, told)


def _caps(seen: Evidence) -> Finding:
    acts = [tool.name for tool in seen.tools if tool.action_class == "act"]
    named = {cap.of for cap in seen.version.config.contract.caps}
    free = [] if "act" in named else [name for name in acts if name not in named]
    told = f"{len(acts) - len(free)} of {len(acts)} acting tools have a cap for a day"
    remedy = f"a cap of act, or of {', '.join(free)}, in contract.caps"
    return Finding(not free, told, remedy)


def _breaker(seen: Evidence) -> Finding:
    outside = [tool.name for tool in seen.tools if _leaves(tool)]
    policy = seen.version.config.failure
    told = f"{len(outside)} tools may leave the process"
    if policy is not None:
        most = max((policy.breaker_of(name).failures for name in outside), default=0)
        told += f"; each is left alone after {most} failures in a row" if outside else ""
    missing = f"write failure: into config.yaml, for {', '.join(outside)}"
    return Finding(policy is not None or not outside, told, missing)


def _egress(seen: Evidence) -> Finding:
    named = [(t.name, argument) for t in seen.tools for argument in _addresses(t)]
    config = seen.version.config
    if config.safety.egress is not None:
        hosts, mail = config.safety.egress.hosts, config.safety.egress.email_domains
        told = f"an allow-list of {len(hosts)} hosts and {len(mail)} mail domains for all tools"
        return Finding(True, told)
    targets = config.contract.targets
    open_ended = [
        f"{tool}.{argument}"
        for tool, argument in named
        if not any(path.split(".")[0] == argument for path in targets.get(tool, {}))
    ]
    told = f"{len(named)} arguments are named like addresses, {len(open_ended)} without a list"
    remedy = f"switch safety.egress on, or state contract.targets for {', '.join(open_ended)}"
    return Finding(not open_ended, told, remedy)


def _leaves(tool: Tool) -> bool:
    """Whether a tool may reach outside: it changes something, brings others' text, or names an
    address. A tool does not say so itself."""
    return tool.action_class != "read" or tool.untrusted_output or bool(_addresses(tool))


def _addresses(tool: Tool) -> list[str]:
    """A tool's arguments that say where it reaches, by their names and formats. One that takes only
    the values of a fixed list is not among them: that is a list."""
    properties = tool.json_schema().get("properties", {})
    return [
        name
        for name, schema in properties.items()
        if not {"enum", "const"} & schema.keys()
        and (ADDRESSES & set(name.lower().split("_")) or schema.get("format") in FORMATS)
    ]


GUARD_LINES = (
    Line("typical", "Beta", "Is it known what a run usually costs?", _typical),
    Line("caps", "Production", "Has each acting tool a limit for all runs of a day?", _caps),
    Line("breaker", "Production", "Is a tool left alone that does not work?", _breaker),
    Line("egress", "Production", "Is it stated which addresses its tools may reach?", _egress),
)
