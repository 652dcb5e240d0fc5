"""Looks for the wording of injected instructions. A hint for people, never a decision.

Whoever writes an injection can word it so that no list finds it; the guard that decides therefore
does not read this. What is found goes into the trace and to the reviewer.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass

EXCERPT_CHARS = 80
_FLAGS = re.IGNORECASE | re.DOTALL
_BEFORE = r"(previous|prior|earlier|above|preceding|foregoing|other|original|system|safety|your)"
_ORDERS = r"(instruction|direction|rule|order|command|prompt|guideline|context|task|polic)"
PATTERNS: dict[str, re.Pattern[str]] = {
    "override": re.compile(
        rf"\b(ignore|disregard|forget|override|bypass|skip)\b.{{0,40}}\b{_BEFORE}\b.{{0,30}}"
        rf"\b{_ORDERS}|\b(new|updated|real|actual|following)\s+(system\s+)?{_ORDERS}\w*\s*:",
        _FLAGS,
    ),
    "role": re.compile(
        r"^\s*[<\[#*\s]*(system|assistant|developer|administrator)\s*(message|prompt|note)?\s*"
        r"[>\]*]*\s*:|<\|?(im_start|im_end|system|endoftext)\|?>|</?(system|instructions?)>|"
        r"\[/?INST\]|<</?SYS>>",
        _FLAGS | re.MULTILINE,
    ),
    "forged": re.compile(
        r"⟦|^\W*Result of \w+:|^\s*\{?\s*\"?(action|tool_calls?|function_call)\"\s*:",
        _FLAGS | re.MULTILINE,
    ),
    "addressed": re.compile(
        r"\b(important|urgent|attention|notice|note|message|instructions?)\b[^.\n]{0,40}\b(to|for)"
        r"\s+(the\s+|any\s+|all\s+)?(ai|assistant|agent|llm|language model|bot|model)\b|"
        r"\b(you are|act as|pretend to be|from now on,? you)\b[^.\n]{0,40}\b(ai|assistant|agent|"
        r"unrestricted|jailbroken|developer mode|dan)\b|"
        r"\b(ai|assistants?|agents?|language models?)\b[^.\n]{0,30}\b(must|should|shall|has to)\b",
        _FLAGS,
    ),
    "order": re.compile(
        r"\b(before|instead of|after)\b[^.\n]{0,40}\b(solv|answer|continu|respond|reply|finish|"
        r"complet|task)\w*[^.\n]{0,60}\b(do|send|call|run|transfer|forward|execute|delete|make)\b|"
        r"\b(call|invoke|execute|run|use)\b[^.\n]{0,30}\b(tool|function|command|send_\w+|\w+_email)"
        r"\b|\bplease,? do the following\b",
        _FLAGS,
    ),
    "secrecy": re.compile(
        r"\b(do not|don't|never|without)\b[^.\n]{0,30}\b(tell|mention|inform|reveal|notify|alert|"
        r"show|ask)\w*\b[^.\n]{0,30}\b(user|customer|anyone|anybody|human|person|them)\b",
        _FLAGS,
    ),
    "approved": re.compile(
        r"\b(already|pre-?|has been|was)\s*(approved|authori[sz]ed|confirmed|verified)\b"
        r"[^.\n]{0,60}\b(no|without|skip)\b|\bno (further )?(approval|confirmation)\b",
        _FLAGS,
    ),
    "reveal": re.compile(
        r"\b(reveal|print|repeat|show|output|leak|send)\b[^.\n]{0,40}\b(system prompt|"
        r"instructions|api[ _-]?keys?|passwords?|credentials|secrets?|tokens?)\b",
        _FLAGS,
    ),
}
_UNSEEN = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]")
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")


@dataclass(frozen=True)
class Hint:
    """One kind of wording that was found, and where it begins in the text as it was read."""

    name: str
    excerpt: str


def screen(text: str) -> tuple[Hint, ...]:
    """What in a text reads like an instruction to a model: one hint a kind, in a fixed order.

    Compatibility forms are folded, unseen characters taken out, and base64 and hidden tag
    characters read; `hidden` says that there were such.
    """
    found: dict[str, str] = {}
    hidden = [_said(run[0]) for run in _TAGS.finditer(text)] + _decoded(text)
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    for reading in (plain, *hidden):
        for name, pattern in PATTERNS.items():
            if name not in found and (match := pattern.search(reading)):
                found[name] = match[0].strip()[:EXCERPT_CHARS]
    if hidden and (found or _TAGS.search(text)):
        found["hidden"] = hidden[0][:EXCERPT_CHARS]
    return tuple(Hint(name, found[name]) for name in (*PATTERNS, "hidden") if name in found)


def _said(tags: str) -> str:
    return "".join(chr(ord(c) - 0xE0000) for c in tags)


def _decoded(text: str) -> list[str]:
    """Longer runs of base64 that are readable text."""
    readable = []
    for run in _ENCODED.finditer(text):
        body = run[0].rstrip("=").replace("-", "+").replace("_", "/")
        try:
            said = base64.b64decode(body + "=" * (-len(body) % 4), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError):
            continue
        if said.isprintable() and " " in said:
            readable.append(said)
    return readable
