"""A result as Markdown for a CI job's page. Text from models is code, never markup."""

from __future__ import annotations

import re

from goldspan.evals.gate import GateResult
from goldspan.evals.presentation.words import evidence, headline, means, percent, points

CALLOUTS = {
    "pass": "TIP",
    "measured": "NOTE",
    "regression": "CAUTION",
    "inconclusive": "WARNING",
    "unmeasured": "IMPORTANT",
}
MOST_ROWS = 25


def render_markdown(result: GateResult) -> str:
    """The summary as GitHub-flavoured Markdown."""
    lines = [f"> [!{CALLOUTS[result.verdict]}]", f"> **{_plain(headline(result))}**"]
    lines += [f"> {_plain(sentence)}" for sentence in evidence(result)]
    lines.append("")
    if result.flipped:
        lines += ["| case | was | is | change | first diverging step |", "|---|---|---|---|---|"]
        for c in result.flipped[:MOST_ROWS]:
            step = ""
            if c.divergence is not None:
                d = c.divergence
                step = f"{d.step}: {_code(d.baseline)} → {_code(d.candidate)}"
            rates = f"{percent(c.baseline)} | {percent(c.candidate)} | {points(c.difference)}"
            lines.append(f"| {_plain(c.case_id)} | {rates} | {step} |")
        lines.append("")
    if result.slices and result.baseline is not None:
        lines += ["| tag | cases | was | is |", "|---|---|---|---|"]
        lines += [
            f"| {_plain(s.tag)} | {s.cases} | {percent(s.baseline)} | {percent(s.candidate)} |"
            for s in result.slices
        ]
        lines.append("")
    if means(result):
        lines += ["; ".join(means(result)) + ".", ""]
    lines.append(
        f"Experiment `{result.candidate.id}`, cases `{result.candidate.suite_digest[:12]}`"
    )
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    return re.sub(r"([\\`*_{}\[\]<>#|!])", r"\\\1", " ".join(text.split()))


def _code(text: str) -> str:
    cleaned = " ".join(text.split()).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", cleaned)), default=0) + 1)
    pad = " " if cleaned.startswith("`") or cleaned.endswith("`") else ""
    return f"{ticks}{pad}{cleaned}{pad}{ticks}"
