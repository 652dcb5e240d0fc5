"""What a run's model has read, and who wrote it: what a call may be trusted on depends on that."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from goldspan.harness.safety.marking import MarkStyle, mark
from goldspan.harness.safety.screening import Hint, screen
from goldspan.harness.tools import Tool
from goldspan.tracing import semconv


@dataclass(frozen=True)
class Seen:
    """A text that entered the model's context.

    `source` is `operator`, `user`, `document`, `tool:NAME` or `harness`. `trusted` says that
    whoever wrote it may decide what the agent does.
    """

    text: str
    source: str
    trusted: bool = False
    hints: tuple[Hint, ...] = ()

    @cached_property
    def folded(self) -> str:
        """The text as values are looked for in it: without case, one space for any blank."""
        return folded(self.text)


@dataclass
class Provenance:
    """The texts of one run in the order in which the model read them.

    Durable runs rebuild it by replaying their recorded results: it holds no clock and no chance.
    `style` is how untrusted text is marked, None for not at all; `record` takes an event's name and
    attributes, as `Recorder.event` does.
    """

    style: MarkStyle | None = None
    record: Callable[[str, Mapping[str, Any]], object] | None = None
    seen: list[Seen] = field(default_factory=list)

    def tell(self, text: str, source: str, *, trusted: bool) -> str:
        """Note that the model reads `text` now, and return it as the model is to read it."""
        hints = () if trusted else screen(text)
        self.seen.append(Seen(text, source, trusted, hints))
        marks = self.style is not None and not trusted
        if self.record is not None and not trusted:
            self.record(
                semconv.TEXT_SEEN,
                {
                    semconv.TEXT_SOURCE: source,
                    semconv.TEXT_TRUSTED: trusted,
                    semconv.TEXT_MARKED: marks,
                    semconv.TEXT_DIGEST: _digest(text),
                    semconv.INJECTION_HINTS: [hint.name for hint in hints] or None,
                },
            )
        return mark(text, source, self.style) if self.style is not None and marks else text

    def tool_result(self, tool: Tool | None, text: str) -> str:
        """Note a result of one of our own tools, which says itself whether outsiders write it. A
        refusal of the harness, where there is no such tool, is trusted."""
        if tool is None:
            return self.tell(text, "harness", trusted=True)
        return self.tell(text, f"tool:{tool.name}", trusted=not tool.untrusted_output)


def folded(text: str) -> str:
    """NFC, without case, one space for any run of blanks."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
