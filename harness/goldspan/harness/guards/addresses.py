"""Finds the hosts and e-mail domains in a text, under every reading that some program could have.

Programs disagree on what a URL is, and attacks live from that. So a text is read in several ways
(folded, unescaped, percent-decoded), a URL by the WHATWG URL Standard (ada) and by RFC 3986
(urllib), and all hosts of all readings are returned. What cannot be read is `unclear`.
"""

from __future__ import annotations

import functools
import html
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote, urlsplit

import ada_url
from publicsuffixlist import PublicSuffixList

Kind: TypeAlias = Literal["host", "email", "scheme", "unclear"]
DECODINGS = 4
SHORT_CHARS = 40
# Endings that are more often a file's than a site's, and are top-level domains as well.
FILES = frozenset(
    ("ai", "app", "bz", "cc", "id", "md", "mov", "mt", "pl", "ps", "py", "rs", "sh", "so", "zip")
)
_WEB = r"(?:https?|wss?|ftp):"
_URL = re.compile(rf"(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://|{_WEB}[/]*)[^\s]+", re.IGNORECASE)
_OPEN = re.compile(r"(?<![:/\w.])//(?=[^\s/])[^\s]+")
_OTHER = re.compile(r"(?<![a-z0-9+.-])(?:data|javascript|vbscript|file|blob):\S", re.IGNORECASE)
_CLOSES = re.compile(r"[<>\"'`)\]}|,;*]")
_AT = re.compile(r"(?<=\S)@(\[[^\]\s]*\]|[^\s@<>\"'`(),;:!?/\\|*=&]+)")
_BARE = re.compile(r"(?<![\w@.%-])((?:[\w-]+\.)+[\w-]{2,})\.?(?![\w@-])(?=(/|:\d|\?|#)?)")
_SIX = re.compile(r"\[[0-9a-f:.]*:[0-9a-f:.]*\]", re.IGNORECASE)
_FOUR = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\w)")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?|\[[0-9a-f:.]+\]")
_PLAIN = re.compile(r"[\w.-]+|[0-9a-f:.]+")  # as urllib has it: without brackets
_ADDRESS = re.compile(r"[a-z0-9][a-z0-9._+-]*@([^@\s\[\]]+)", re.IGNORECASE)
_DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61\u2024", "."))  # full stops of other scripts


@dataclass(frozen=True)
class Address:
    """Where a text leads: a host or an e-mail's domain in its canonical form, else what is wrong.

    Canonical is lower case, IDNA in ASCII, an IP address in its usual form, no dot at the end.
    `mailbox` is the whole address where the kind is `email` and it could be told.
    """

    kind: Kind
    name: str
    mailbox: str | None = None


def canonical(host: str) -> str | None:
    """A host as a resolver would be asked for it; None where it is none."""
    try:
        name = ada_url.URL(f"http://{host}/").hostname.removesuffix(".")
    except ValueError:
        return None
    return name if _HOST.fullmatch(name) and ".." not in name else None


def of_url(text: str) -> list[Address]:
    """All hosts that a URL may lead to; `unclear` where parsers disagree or it names a user."""
    try:
        browser = ada_url.URL(text)
        scheme, host, user = browser.protocol.rstrip(":"), browser.hostname, browser.username
        plain = urlsplit(text.strip())
        authority = plain.netloc
        other = plain.hostname or ""
    except ValueError:
        return [Address("unclear", text)]
    found = [Address("scheme", scheme)]
    if scheme == "mailto":
        return found + [a for part in unquote(text[7:]).split("?") for a in of_email(part)]
    if user or browser.password or "@" in authority or not host:
        return [*found, Address("unclear", text)]
    name = canonical(host)
    if name is None or not _PLAIN.fullmatch(other) or canonical(_bracketed(other)) != name:
        return [*found, Address("unclear", text)]
    return [*found, Address("host", name)]


def of_email(text: str) -> list[Address]:
    """The domain of a plain address. Anything else, such as two addresses, is `unclear`."""
    whole = _ADDRESS.fullmatch(unicodedata.normalize("NFKC", text).strip(" "))
    domain = canonical(whole[1]) if whole and "%" not in whole[1] else None
    if whole is None or domain is None:
        return [Address("unclear", text)]
    return [Address("email", domain, f"{whole[0].split('@')[0].lower()}@{domain}")]


def in_text(text: str) -> list[Address]:
    """Every address in a free text, in order, each once. Words with a dot count where their end is
    a top-level domain and not rather a file's, or where a path or a port follows."""
    return list(_short(text) if len(text) <= SHORT_CHARS else _found(text))


def _found(text: str) -> tuple[Address, ...]:
    found: dict[Address, None] = {}
    for reading in _readings(text):
        for address in _scanned(reading):
            found.setdefault(address)
    return tuple(found)


# Names of fields, ids and the like come with every call again.
_short = functools.lru_cache(maxsize=1024)(_found)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in an argument object with its path: names of fields too, and what a text that is
    JSON itself holds."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield path or "arguments", str(name)
            yield from texts(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from texts(inner, f"{path}[{number}]")
    elif isinstance(value, str):
        yield path or "arguments", value
        if value.lstrip()[:1] in ('"', "[", "{"):
            try:
                inner = json.loads(value)
            except (ValueError, RecursionError):
                return
            yield from texts(inner, path)


def _readings(text: str) -> Iterator[str]:
    seen = set()
    folded = unicodedata.normalize("NFKC", text).translate(_DOTS)
    # Browsers drop tabs and line breaks inside a URL; a line that begins another URL is a list.
    joined = re.sub(r"[\t\r\n]+(?![a-z][a-z0-9+.-]*:/|mailto:)", "", folded, flags=re.IGNORECASE)
    starts = [text, folded] if " " in folded.strip() else [text, folded, joined]
    for reading in starts:
        for _ in range(DECODINGS):
            for variant in (reading, reading.replace("\\", "/")):
                if variant not in seen:
                    seen.add(variant)
                    yield variant
            decoded = unquote(html.unescape(reading))
            if decoded == reading:
                break
            reading = unicodedata.normalize("NFKC", decoded).translate(_DOTS)


def _scanned(text: str) -> Iterator[Address]:
    whole = text.strip()
    alone = not re.search(r"\s", whole)
    for found in _URL.finditer(text):
        if alone and found[0] == whole:
            yield from of_url(whole)
        else:
            yield from _of_token(found[0])
    for found in _OPEN.finditer(text):
        read = of_url if alone and found[0] == whole else _of_token
        yield from read(f"https:{found[0]}")
    for found in _OTHER.finditer(text):
        yield Address("scheme", found[0].split(":")[0].lower())
    for found in _AT.finditer(text):
        yield from _mailed(text, found)
    for found in _SIX.finditer(text):
        if name := canonical(found[0]):
            yield Address("host", name)
    for found in _FOUR.finditer(text):
        yield Address("host", canonical(found[0]) or found[0])
    for found in _BARE.finditer(text):
        if name := _bare(found[1], found[2] or ""):
            yield Address("host", name)


def _of_token(token: str) -> list[Address]:
    """A URL in a text: it ends at a bracket or quote, unless a user's name could hold that."""
    scheme, _, rest = token.partition(":")
    authority = re.split(r"[/?#]", rest.lstrip("/"), maxsplit=1)[0]
    if "@" in authority:
        return [Address("unclear", token)]
    cut = _CLOSES.split(token, maxsplit=1)[0].rstrip(".:!?_")
    return of_url(cut) if len(cut) > len(scheme) + 1 else []


def _mailed(text: str, found: re.Match[str]) -> Iterator[Address]:
    domain = found[1].rstrip(".-_")
    if domain.startswith("["):
        yield Address("unclear", found[0])
        return
    lettered = re.search(r"[^\W\d_]", domain)
    if "." not in domain or not (lettered or domain.count(".") == 3):
        return  # a handle, or a price: 2@19.50
    local = re.split(r"[\s<>\"'(),;:=?&/\\]", text[: found.start()])[-1]
    exact = of_email(f"{local}@{domain}")[0]
    if exact.kind == "email":
        yield exact
        return
    name = canonical(domain)
    routed = re.search(r"[%!].*\.\w", local)  # x%evil.com@relay asks the relay to pass it on
    yield Address("email", name) if name and not routed else Address("unclear", found[0])


def _bare(host: str, after: str) -> str | None:
    name = canonical(host)
    if name is None or not re.search(r"[a-z]", name):
        return None
    ending = name.rsplit(".", 1)[-1]
    known = _suffixes().publicsuffix(name) is not None
    if ending in FILES:
        known = name.startswith("www.")
        after = after if after == "/" else ""
    return name if known or (after and not ending.isdigit()) else None


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@functools.cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(accept_unknown=False)
