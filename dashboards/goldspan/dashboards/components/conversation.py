"""The messages of a model call: who said what, which tools were asked for and answered."""

from __future__ import annotations

from collections.abc import Sequence

from goldspan.dashboards.components import text
from goldspan.dashboards.messages import Message, Part

_ROLE_TONES: dict[str, text.Tone] = {
    "system": "",
    "user": "info",
    "assistant": "made",
    "tool": "good",
}


def conversation(messages: Sequence[Message]) -> None:
    """Show messages in order, each part as plain text or as a block of JSON."""
    for message in messages:
        tone = _ROLE_TONES.get(message.role, "")
        if not message.parts:
            text.passage("(empty)", label=message.role, tone=tone)
        for part in message.parts:
            _show(part, message, tone)


def _show(part: Part, message: Message, tone: text.Tone) -> None:
    label = message.role if part.kind == "text" else f"{message.role} · {part.kind}"
    if part.title:
        label = f"{label} · {part.title}"
    if message.finish_reason and part is message.parts[-1]:
        label = f"{label} · finish: {message.finish_reason}"
    if part.is_json:
        text.passage("", label=label, tone=tone)
        text.document(part.text, is_json=True)
    else:
        text.passage(part.text, label=label, tone=tone)
