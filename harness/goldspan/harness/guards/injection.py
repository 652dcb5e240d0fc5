"""After untrusted text, a call that acts waits for a person, whatever that text sounds like.

A model that has read what an outsider wrote may want anything that the outsider wants. So it is
not asked whether the text looks like an attack, but whether the call could be the text's doing.
The idea is that of information-flow control; see Debenedetti et al., "Defeating Prompt Injections
by Design", arXiv 2503.18813, and Beurer-Kellner et al., "Design Patterns for Securing LLM Agents
against Prompt Injections", arXiv 2506.08837.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from goldspan.harness.guards.chain import Verdict
from goldspan.harness.models.protocol import Call
from goldspan.harness.safety.provenance import Provenance, Seen, folded
from goldspan.harness.tools import Tool

Foreign: TypeAlias = Literal["pause", "deny"]
NAME = "injection"
EXCERPT_CHARS = 60


@dataclass(frozen=True)
class InjectionGuard:
    """Judges the calls of one run, or of any framework's tools.

    `free` are tools that change nothing anybody could regret (reads, drafts): they may be called
    at any time. Every other tool acts, also one that is not known. `grants` are tools that may act
    after untrusted text as long as each argument is in what a trusted person wrote, or is one of
    `constants` by field; fields in `content` need not be: grant them only where anything may be
    written to that target. `foreign` is what happens to a call with an argument that only
    untrusted text has: `pause`, or `deny` where nobody should be asked.
    """

    free: Collection[str] = ()
    grants: Collection[str] = ()
    content: Mapping[str, Collection[str]] = field(default_factory=dict)
    constants: Mapping[str, Collection[Any]] = field(default_factory=dict)
    foreign: Foreign = "pause"
    provenance: Provenance = field(default_factory=Provenance)

    def check(self, call: Call, tool: Tool | None) -> Verdict:
        """Judge a call of our own loop, on what this run has read so far."""
        if tool is not None and tool.action_class == "read":
            return Verdict(NAME, "allow")
        return self.judge(call.name, call.arguments, self.provenance.seen)

    def judge(self, tool: str, arguments: Any, seen: Sequence[Seen]) -> Verdict:
        """Judge a call of the tool of that name, after the model has read `seen`."""
        untrusted = [text for text in seen if not text.trusted]
        if tool in self.free or not untrusted:
            return Verdict(NAME, "allow")
        read = ", ".join(dict.fromkeys(text.source for text in untrusted))
        why = f"{tool} acts, after untrusted text of {read}"
        trusted = _Words(text for text in seen if text.trusted)
        theirs = _Words(untrusted)
        unfounded, foreign = [], []
        for path, value in _leaves(arguments):
            if self._exempt(tool, path, value) or value in trusted:
                continue
            unfounded.append(f"{path} {_shown(value)}")
            if value in theirs:
                foreign.append(f"{path} {_shown(value)}")
        if tool in self.grants and not unfounded:
            return Verdict(NAME, "allow")
        if foreign:
            why += f"; only that text has {', '.join(foreign)}"
        elif tool in self.grants:
            why += f"; nobody trusted said {', '.join(unfounded)}"
        hints = sorted({hint.name for text in untrusted for hint in text.hints})
        if hints:
            why += f"; it reads like an injection: {', '.join(hints)}"
        return Verdict(NAME, self.foreign if foreign else "pause", why)

    def _exempt(self, tool: str, path: str, value: Any) -> bool:
        top = re.split(r"[.\[]", path, maxsplit=1)[0]
        if top in self.content.get(tool, ()):
            return True
        return value is None or value in tuple(self.constants.get(top, ()))


@dataclass(frozen=True)
class WatchingInjectionGuard(InjectionGuard):
    """The same guard where nothing else notes what the model reads: around the tools of another
    framework. Every result is untrusted text but those of `trusted_tools`. One object serves one
    conversation: what it has read, it does not forget.
    """

    trusted_tools: Collection[str] = ()

    def observe(self, call: Call, tool: Tool, result: Any) -> None:
        """Note what a call returned."""
        text = result if isinstance(result, str) else json.dumps(result, default=str)
        self.provenance.tell(text, f"tool:{call.name}", trusted=call.name in self.trusted_tools)


class _Words:
    """Texts in which a value can be found as a whole, not as a part of a longer word."""

    def __init__(self, texts: Iterable[Seen]) -> None:
        self._text = "\n".join(text.folded for text in texts)

    def __contains__(self, value: object) -> bool:
        """Whether a value stands there; an empty one and a lone sign stand nowhere."""
        return any(self._stands(folded(form)) for form in _forms(value))

    def _stands(self, text: str) -> bool:
        if text not in self._text or not any(c.isalnum() for c in text):
            return False
        # Not inside a longer word, number, address or path: ann@x.org is not in joann@x.org.uk.
        before, after = r"(?<![\w@./+-])(?<!\d,)", r"(?![\w@/+-]|[.,:?#&=%]\w)"
        return re.search(before + re.escape(text) + after, self._text) is not None


def _forms(value: object) -> tuple[str, ...]:
    """How people write a value: 1200 also as 1,200 and 1200.00."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return (value if isinstance(value, str) else json.dumps(value, default=str),)
    if not math.isfinite(value):
        return ()
    whole = (f"{value:.0f}", f"{value:,.0f}") if value == int(value) else ()
    return (str(value), f"{value:,}", f"{value:.2f}", f"{value:,.2f}", *whole)


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """The plain values of an argument object with their paths. Names of fields are values as well,
    those of the arguments themselves excepted."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if path:
                yield path, str(name)
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{number}]")
    else:
        yield path or "arguments", value


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= EXCERPT_CHARS else text[:EXCERPT_CHARS] + "…"
