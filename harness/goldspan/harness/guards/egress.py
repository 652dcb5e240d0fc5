"""Where a call may send something: an allow-list of hosts and e-mail domains."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from goldspan.harness.guards.addresses import Address, canonical, in_text, of_email, of_url, texts
from goldspan.harness.guards.chain import Verdict
from goldspan.harness.models.protocol import Call
from goldspan.harness.tools import Tool
from goldspan.tracing.errors import ConfigError

FieldKind: TypeAlias = Literal["url", "host", "email"]
NAME = "egress"
SHOWN_CHARS = 80


@dataclass(frozen=True)
class EgressGuard:
    """Denies a call whose arguments name any place that is not allowed.

    `hosts` are exact (`api.example.com`) or all below one (`*.example.com`, which does not have
    `example.com` itself); an IP address must be listed as such. `email_domains` are exact, or whole
    addresses. `fields` says of a tool's arguments, by path without numbers (`to`,
    `message.recipients`), that each value must be one URL, host or address, and nothing else; all
    other texts are searched. Raises `ConfigError` for an entry that is no host.
    """

    hosts: Collection[str] = ()
    email_domains: Collection[str] = ()
    schemes: Collection[str] = ("http", "https", "mailto")
    fields: Mapping[str, Mapping[str, FieldKind]] = field(default_factory=dict)
    _exact: frozenset[str] = field(init=False, default=frozenset())
    _below: tuple[str, ...] = field(init=False, default=())
    _mail: frozenset[str] = field(init=False, default=frozenset())

    def __post_init__(self) -> None:
        exact = [_checked(h) for h in self.hosts if not h.startswith("*.")]
        below = ["." + _checked(h[2:]) for h in self.hosts if h.startswith("*.")]
        mail = [_mailbox(entry) for entry in self.email_domains]
        object.__setattr__(self, "_exact", frozenset(exact))
        object.__setattr__(self, "_below", tuple(below))
        object.__setattr__(self, "_mail", frozenset(mail))

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Judge a call of our own loop."""
        return self.judge(call.name, call.arguments)

    def judge(self, tool: str, arguments: Any) -> Verdict:
        """Judge a call of the tool of that name."""
        declared = self.fields.get(tool, {})
        for path, text in texts(arguments):
            kind = declared.get(_without_numbers(path))
            for address in _read(text, kind):
                if (why := self._objection(address)) is not None:
                    return Verdict(NAME, "deny", f"{path} of {tool}: {why}")
        return Verdict(NAME, "allow")

    def judge_text(self, text: str) -> Verdict:
        """Judge a text that leaves by another way than a call, such as the final answer, whose
        links and images a reader's program may open."""
        return self.judge("answer", {"text": text})

    def _objection(self, address: Address) -> str | None:
        name = address.name if len(address.name) <= SHOWN_CHARS else address.name[:80] + "…"
        if address.kind == "unclear":
            return f"it cannot be told where {name!r} leads"
        if address.kind == "scheme":
            return None if name in self.schemes else f"{name}: is not an allowed kind of address"
        if address.kind == "email":
            if address.name in self._mail or address.mailbox in self._mail:
                return None
            return f"mail to {name} is not allowed; allowed: {_listed(self.email_domains)}"
        if address.name in self._exact or address.name.endswith(self._below):
            return None
        lookalike = " (written in other letters than it seems)" if "xn--" in name else ""
        return f"host {name}{lookalike} is not allowed; allowed: {_listed(self.hosts)}"


def _read(text: str, kind: FieldKind | None) -> list[Address]:
    if kind is None:
        return in_text(text)
    if kind == "email":
        return of_email(text)
    if kind == "url":
        spaced = [Address("unclear", text)] if re.search(r"\s", text) else []
        return spaced + of_url(text) + in_text(text)
    name = canonical(text.strip())
    plain = name is not None and not any(c in text for c in "/\\@?#:% \t\r\n")
    return [Address("host", name) if name and plain else Address("unclear", text)]


def _without_numbers(path: str) -> str:
    return ".".join(part.split("[")[0] for part in path.split("."))


def _checked(host: str) -> str:
    name = canonical(host)
    odd = any(c in host for c in "/@:*") and not host.startswith("[")
    if name is None or odd:
        raise ConfigError(
            f"{host!r} is no host",
            where="egress",
            remedy="write example.com, *.example.com or an IP address",
        )
    return name


def _mailbox(entry: str) -> str:
    local, at, domain = entry.rpartition("@")
    return f"{local.lower()}@{_checked(domain)}" if at and local else _checked(domain)


def _listed(entries: Collection[str]) -> str:
    return ", ".join(sorted(entries)) or "none"
