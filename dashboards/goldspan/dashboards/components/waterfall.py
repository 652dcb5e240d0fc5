"""The waterfall of one trace, in which a span can be picked."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from streamlit.components import v2

from goldspan.dashboards.waterfall import Bar

_FILES = resources.files(__package__)
_mount = v2.component(
    "goldspan.waterfall",
    html='<div class="waterfall" role="tree" aria-label="Spans of the trace"></div>',
    css=(_FILES / "waterfall.css").read_text(encoding="utf-8"),
    js=(_FILES / "waterfall.js").read_text(encoding="utf-8"),
)


def waterfall(trace_id: str, bars: Sequence[Bar], selected: str | None, *, key: str) -> str | None:
    """Show the bars and return the id of the span that was just clicked, else None."""
    result = _mount(
        key=key,
        data={"trace": trace_id, "selected": selected, "bars": [bar.as_json() for bar in bars]},
        on_picked_change=_rerun,
    )
    picked = result.get("picked")
    return picked if isinstance(picked, str) else None


def _rerun() -> None:
    """A trigger needs a callback to be part of the result; the rerun itself is Streamlit's."""
