"""What a call reaches: e-mail addresses, hosts, paths and tables, in one spelling each.

A target is compared only in its canonical form, and what has no clear one is not allowed: no
`../`, no `user@host` in a URL, no number that is really an address, no letter that looks like
another. A tool may read a target more generously than this does; it can then only be refused.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable
from typing import Literal, TypeAlias

TargetKind: TypeAlias = Literal["email", "host", "path", "table", "exact"]
PORTS = {"http": 80, "ws": 80, "https": 443, "wss": 443}
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
LOCAL = re.compile(r"[a-z0-9_][a-z0-9._+=&'~-]{0,63}")
PRINTABLE = re.compile(r"[!-~]+")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
ENCODED = re.compile(r"%(2e|2f|5c|00)", re.IGNORECASE)
IDENTIFIER = re.compile(r'[A-Za-z_][A-Za-z0-9_$]*|"[A-Za-z_][A-Za-z0-9_$]*"')


def targets_in(kind: TargetKind, value: object) -> list[str]:
    """The canonical forms of what an argument names; several addresses may stand in one text.

    Raises `ValueError`, worded for the model, where one has no clear form.
    """
    if isinstance(value, int) and not isinstance(value, bool) and kind == "exact":
        value = str(value)
    if not isinstance(value, str):
        raise ValueError(f"must be text, not {type(value).__name__}")
    if kind == "email":
        return [_email(part.strip(" ")) for part in re.split("[,;]", value)]
    return [_CANONICAL[kind](value)]


def entry(kind: TargetKind, text: str) -> str:
    """The canonical form of one entry of an allow-list. Raises `ValueError` where it has none.

    `*.example.com` stands for every host or domain below `example.com`, `sales.*` for every table
    of a schema, a path for itself and what lies below it, `#support-*` for what begins so.
    """
    if kind in ("email", "host"):
        below = text.startswith("*.")
        name = text.removeprefix("*.")
        if kind == "email":
            found = _email(name) if "@" in name and not below else _host_name(name)
        else:
            found = _host(name)
        return f"*.{found}" if below else found
    if kind == "table" and text.endswith(".*"):
        return f"{_table(text[:-2])}.*"
    return _CANONICAL[kind](text)


def permits(kind: TargetKind, allowed: str, target: str) -> bool:
    """Whether an entry of an allow-list covers a target. Both in canonical form."""
    if kind == "email" and "@" not in allowed:
        target = target.rpartition("@")[2]
    if kind in ("email", "host"):
        return target.endswith(allowed[1:]) if allowed.startswith("*.") else target == allowed
    if kind == "path":
        inside = not target.startswith("/") if allowed == "." else False
        return inside or target == allowed or target.startswith(allowed.rstrip("/") + "/")
    if kind == "table":
        same_schema = target.rpartition(".")[0] == allowed[:-2]
        return same_schema if allowed.endswith(".*") else target == allowed
    return target.startswith(allowed[:-1]) if allowed.endswith("*") else target == allowed


def _email(text: str) -> str:
    local, at, domain = text.lower().partition("@")
    if not at or not LOCAL.fullmatch(local):
        raise ValueError(f"{text!r} is no plain address: write name@example.com and nothing else")
    return f"{local}@{_host_name(domain)}"


def _host(text: str) -> str:
    if not PRINTABLE.fullmatch(text) or "\\" in text:
        raise ValueError(f"{text!r} has characters that no URL has")
    scheme, separator, rest = text.partition("://")
    scheme = scheme.lower() if separator else ""
    if separator and scheme not in PORTS:
        raise ValueError(f"{text!r} is no web address: write https://…")
    authority = re.split("[/?#]", rest, maxsplit=1)[0] if separator else text
    if "@" in authority:
        raise ValueError(f"{text!r} has a user name before its host: leave it out")
    name, port = _split_port(authority)
    host = _host_name(name)
    return host if port is None or port == PORTS.get(scheme) else f"{host}:{port}"


def _split_port(authority: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?", authority)
    if found is None:
        raise ValueError(f"{authority!r} is no host: write the whole URL, or host:port")
    port = int(found[2]) if found[2] else None
    if port is not None and not 0 < port < 65536:
        raise ValueError(f"{port} is no port")
    return found[1], port


def _host_name(text: str) -> str:
    if text.startswith("["):
        return _address(text[1:-1], text)
    name = text.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is no host name; one in other letters is written as xn--…")
    # What ends in a number is an address to a browser, also as 0x7f000001 or 127.1.
    if re.fullmatch(r"[0-9]+|0x[0-9a-f]*", labels[-1]):
        return _address(name, text)
    return name


def _address(text: str, shown: str) -> str:
    try:
        found = ipaddress.ip_address(text) if "%" not in text else None
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"{shown!r} is no address that is written in full")
    if isinstance(found, ipaddress.IPv6Address):
        return str(found.ipv4_mapped) if found.ipv4_mapped else f"[{found.compressed}]"
    return str(found)


def _path(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text)
    hidden = any(plain.count(c) != text.count(c) for c in "./\\~")
    if not text or hidden or not text.isprintable() or "\\" in text or ENCODED.search(text):
        raise ValueError(f"{text!r} is no plain path")
    if SCHEME.match(text) or text.startswith("~"):
        raise ValueError(f"{text!r} must be a path, without a scheme, a drive or ~")
    parts = [part for part in text.split("/") if part not in ("", ".")]
    if any(not part.strip(". ") for part in parts):
        raise ValueError(f"{text!r} leaves its folder: write the path without ..")
    return ("/" if text.startswith("/") else "") + "/".join(parts) or "."


def _table(text: str) -> str:
    parts = text.split(".")
    if not 1 <= len(parts) <= 3 or not all(IDENTIFIER.fullmatch(part) for part in parts):
        raise ValueError(f"{text!r} is no table's name: write schema.table")
    return ".".join(_identifier(part) for part in parts)


def _identifier(text: str) -> str:
    if not text.startswith('"'):
        return text.lower()
    bare = text[1:-1]
    return bare if bare == bare.lower() else text


def _exact(text: str) -> str:
    if not text.isprintable():
        raise ValueError(f"{text!r} has characters that cannot be seen")
    return text


_CANONICAL: dict[TargetKind, Callable[[str], str]] = {
    "email": _email,
    "host": _host,
    "path": _path,
    "table": _table,
    "exact": _exact,
}
