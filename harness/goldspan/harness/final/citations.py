"""Claims cite evidence: what is cited is there, and a sentence with a figure cites something.

Deterministic, and blind to meaning: whether the evidence says what the sentence says is for others.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict, field_validator

from goldspan.harness.final.gates import Seen, brought

BRACKETS = r"\[([^\[\]\n]+)\](?!\()"  # in square brackets, and no link as Markdown has them
SHOWN_CHARS = 80
_BETWEEN = re.compile(r"(?<=[.!?])\s+|\n+")
_BULLET = re.compile(r"^[ \t]*(?:\d+[.)]|[-*•])[ \t]+", re.MULTILINE)


class CitePolicy(BaseModel):
    """`pattern` finds a citation: its one group is what is cited, several separated by `,` or `;`.
    With `figures` each sentence that holds a digit must have one."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    figures: bool = True
    pattern: str = BRACKETS

    @field_validator("pattern")
    @classmethod
    def _has_a_group(cls, pattern: str) -> str:
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from None
        if groups != 1:
            raise ValueError("must have one group: what is cited")
        return pattern


@dataclass(frozen=True)
class CitationGate:
    """Holds an answer to the evidence that its run has seen.

    What is cited must be the id of a call that succeeded, or stand in what a call returned, as a
    whole name. Where the environment says what may be cited, it must be among that as well; where
    it does not, digits alone name nothing.
    """

    policy: CitePolicy
    name: str = "citations"

    def faults(self, answer: str, seen: Seen) -> list[str]:
        """Each thing cited that is not there, then each sentence that cites nothing."""
        may = None if seen.citable is None else set(seen.citable(seen.workspace))
        found = [
            f"[{cited}] is cited, and nothing that was read in this run is called so"
            for cited in dict.fromkeys(self._cited(answer))
            if not _is_there(cited, seen, may)
        ]
        for sentence in self._sentences(answer) if self.policy.figures else ():
            stated = self._citation.sub("", sentence)
            if stated == sentence and re.search(r"\d", stated):
                shown = " ".join(sentence.split())
                short = shown if len(shown) <= SHOWN_CHARS else f"{shown[:SHOWN_CHARS]}…"
                found.append(f"a sentence with a figure cites nothing: {short!r}")
        return found

    @cached_property
    def _citation(self) -> re.Pattern[str]:
        return re.compile(self.policy.pattern)

    def _cited(self, answer: str) -> list[str]:
        groups = [re.split("[,;]", found[1] or "") for found in self._citation.finditer(answer)]
        return [name.strip() for group in groups for name in group]

    def _sentences(self, answer: str) -> list[str]:
        """The sentences; a citation behind a full stop belongs to the one before as well."""
        found: list[str] = []
        for part in _BETWEEN.split(_BULLET.sub("", answer)):
            begins = self._citation.match(part)
            if begins and found:
                found[-1] = f"{found[-1]} {begins[0]}"
            found.append(part)
        return found


def _is_there(cited: str, seen: Seen, may: Collection[str] | None) -> bool:
    if any(step.call_id == cited for step in seen.steps if brought(step)):
        return True
    if not cited or (may is not None and cited not in may):
        return False
    if may is None and not re.search(r"[^\W\d_]", cited):
        return False
    whole = re.compile(rf"(?<![\w-]){re.escape(cited)}(?![\w-])")
    return any(whole.search(text) for text in seen.results)
