"""Who may ask what: tokens, and the Host and Origin headers that browsers send."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from goldspan.tracing.server.options import ServerOptions

TOKEN_HEADERS = ("x-api-key", "api-key", "x-goldspan-token")


class AccessControl:
    """The server's tokens. `local_token` and `local_admin_token` are new at each start."""

    def __init__(self, options: ServerOptions) -> None:
        self.local_token = secrets.token_urlsafe(32)
        self.local_admin_token = secrets.token_urlsafe(32)
        self._token = options.token
        self._admin = [t for t in (self.local_admin_token, options.admin_token) if t]
        self._query = [t for t in (self.local_token, options.token, *self._admin) if t]
        self._origins = frozenset(options.cors_origins)
        self._hosts = {"localhost", options.host.lower(), *map(str.lower, options.allowed_hosts)}
        if not options.is_loopback:
            self._hosts.add(socket.gethostname().lower())

    def may_send(self, given: Iterable[str]) -> bool:
        """Whether somebody with these tokens may send telemetry. Without a --token anybody may."""
        return self._token is None or _any_equal(given, self._query)

    def may_query(self, given: Iterable[str]) -> bool:
        """Whether these tokens open the query endpoint."""
        return _any_equal(given, self._query)

    def may_administer(self, given: Iterable[str]) -> bool:
        """Whether these tokens open admin jobs."""
        return _any_equal(given, self._admin)

    def is_known_host(self, host: str) -> bool:
        """Whether a Host header names this server.

        Against DNS rebinding: a page of another site reaches a loopback address under its own
        name. It cannot do so under a number.
        """
        name = _hostname(f"//{host}")
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True

    def is_known_origin(self, origin: str | None) -> bool:
        """Whether a page of this origin may ask: none, our own, or one of --cors-origin."""
        if origin is None or origin in self._origins:
            return True
        return _hostname(origin) in self._hosts | {"127.0.0.1", "::1"}


def tokens_in(headers: Iterable[tuple[str, str]]) -> list[str]:
    """The tokens that headers (or gRPC metadata) give. Names are lower-case."""
    found = []
    for name, value in headers:
        if name == "authorization":
            scheme, _, rest = value.partition(" ")
            found.append(rest.strip() if scheme.lower() == "bearer" else "")
        elif name in TOKEN_HEADERS:
            found.append(value)
    return [token for token in found if token]


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""


def _any_equal(given: Iterable[str], accepted: list[str]) -> bool:
    """Compares in constant time, and always all of them."""
    found = False
    for one in given:
        for other in accepted:
            found |= hmac.compare_digest(one.encode("utf-8", "replace"), other.encode())
    return found
