"""A report as Markdown, as self-contained HTML, or as JSON.

Both templates escape every value unless it is marked as safe: HTML by Jinja's autoescape, Markdown
by the same rule for what its text can mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import cache
from importlib import resources
from typing import Any, Literal, TypeAlias

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from goldspan.dashboards import display
from goldspan.dashboards.reports import links, markdown
from goldspan.dashboards.reports.figures import short
from goldspan.dashboards.reports.model import Evidence, Figure, Report

Format: TypeAlias = Literal["md", "html", "json"]
FORMATS: tuple[Format, ...] = ("md", "html", "json")
SHOWN_CHARACTERS = 4000
Link: TypeAlias = Callable[[object, str], str]


def render(report: Report, form: Format) -> str:
    """The report's whole text in one format."""
    if form == "json":
        return json.dumps(as_json(report), ensure_ascii=False, indent=2, default=str) + "\n"
    template = _environment(form).get_template(f"report.{form}.j2")
    return template.render(report=report, **_linked(report, form)).strip() + "\n"


def as_json(report: Report) -> dict[str, Any]:
    """The report's data; each evidence carries the address of its trace."""
    found: dict[str, Any] = _with_urls(asdict(report), report.dashboard_url)
    return found


def _with_urls(value: Any, base: str) -> Any:
    if isinstance(value, dict):
        found = {key: _with_urls(item, base) for key, item in value.items()}
        if set(value) == {"label", "trace_id", "span_id"}:
            found["url"] = links.trace_url(base, Evidence(**value))
        return found
    if isinstance(value, list | tuple):
        return [_with_urls(item, base) for item in value]
    return value


@cache
def _environment(form: Format) -> Environment:
    # Autoescape is what makes hostile text harmless in HTML; Markdown has `finalize` for it.
    environment = Environment(
        loader=FunctionLoader(_source),
        autoescape=form == "html",
        finalize=markdown.escape if form == "md" else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        moment=lambda value: f"{display.moment(value)} UTC" if value else display.NOTHING,
        known=lambda value: display.NOTHING if value in (None, "") else value,
        line=lambda value, limit=200: display.line(value, limit),
        body=lambda value: _cut(display.pretty(value) if form == "html" else str(value)),
        number=lambda value: display.NOTHING if value is None else f"{value:.4g}",
        quoted=markdown.quoted,
        short=short,
    )
    return environment


def _source(name: str) -> str:
    folder = resources.files("goldspan.dashboards.reports") / "templates"
    return (folder / name).read_text(encoding="utf-8")


def _cut(text: str) -> str:
    if len(text) <= SHOWN_CHARACTERS:
        return text
    return f"{text[:SHOWN_CHARACTERS]}\n… ({len(text) - SHOWN_CHARACTERS:,} more characters)"


def _linked(report: Report, form: Format) -> dict[str, Any]:
    """The templates' functions that write links, safe in their format."""
    base = report.dashboard_url
    safe: Callable[[str], str] = Markup if form == "html" else markdown.Safe
    link: Link = _html_link if form == "html" else markdown.link

    def trace(evidence: Evidence | None, label: object = None) -> str:
        if evidence is None:
            return safe(display.NOTHING) if label is None else str(label)
        return link(label or evidence.label, links.trace_url(base, evidence))

    def traces(evidence: Sequence[Evidence], more: int = 0) -> str:
        listed = ", ".join(trace(item) for item in evidence)
        return safe(f"{listed} and {more:,} more" if more else listed)

    def figure(value: Figure) -> str:
        """One trace: the number is the link; several: the number, then the links."""
        shown = safe(value.text)  # made of a number alone
        if not value.evidence:
            return shown
        if len(value.evidence) == 1 and not value.more:
            return trace(value.evidence[0], shown)
        listed = traces(value.evidence, value.more)
        if form == "html":
            listed = f'<span class="traces">{listed}</span>'
            return safe(f"{shown} {listed}")
        return safe(f"{shown} ({listed})")

    def experiment(experiment_id: str) -> str:
        return link(experiment_id, links.experiment_url(base, experiment_id))

    return {"trace": trace, "traces": traces, "figure": figure, "experiment": experiment}


def _html_link(label: object, url: str) -> str:
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(url, label)
