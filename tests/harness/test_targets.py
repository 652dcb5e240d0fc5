"""Targets: one spelling each, and no trick gets past an allow-list."""

from __future__ import annotations

import ipaddress
import posixpath
import string
from email.utils import getaddresses
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from goldspan.harness.rules.stated import Target
from goldspan.harness.rules.targets import TargetKind, entry, permits, targets_in


def allowed(kind: TargetKind, allow: str, value: object) -> bool:
    try:
        found = targets_in(kind, value)
    except ValueError:
        return False
    return all(permits(kind, entry(kind, allow), target) for target in found)


@pytest.mark.parametrize(
    ("kind", "allow", "value"),
    [
        ("email", "example.com", "Ann.Lee+x@Example.COM"),
        ("email", "example.com", "a@example.com, b@example.com;c@example.com"),
        ("email", "*.example.com", "a@mail.example.com"),
        ("email", "ops@example.com", "OPS@example.com."),
        ("host", "example.com", "https://Example.com./x?q=@y#z"),
        ("host", "example.com", "example.com"),
        ("host", "example.com", "https://example.com:443/x"),
        ("host", "*.example.com", "wss://a.b.example.com"),
        ("host", "example.com:8443", "https://example.com:8443"),
        ("host", "10.0.0.5", "http://10.0.0.5/"),
        ("host", "10.0.0.5", "http://[::ffff:10.0.0.5]/"),
        ("host", "[::1]", "http://[0:0:0:0:0:0:0:1]"),
        ("path", "reports", "reports//2026/./q1.csv"),
        ("path", "reports/", "./reports"),
        ("path", ".", "any/where"),
        ("path", "/srv/data", "/srv/data/x"),
        ("path", "/", "/etc"),
        ("table", "sales.orders", "Sales.ORDERS"),
        ("table", "sales.orders", '"sales"."orders"'),
        ("table", "sales.*", "sales.orders"),
        ("exact", "C-900", "C-900"),
        ("exact", "#support-*", "#support-eu"),
        ("exact", "900", 900),
    ],
)
def test_what_is_allowed_passes_in_any_spelling(kind: TargetKind, allow: str, value: str) -> None:
    assert allowed(kind, allow, value)


@pytest.mark.parametrize(
    ("kind", "allow", "value"),
    [
        ("email", "example.com", "a@evil.com"),
        ("email", "example.com", "a@example.com.evil.com"),
        ("email", "example.com", "a@notexample.com"),
        ("email", "example.com", "a@mail.example.com"),
        ("email", "*.example.com", "a@example.com"),
        ("email", "example.com", "a@evil.com@example.com"),
        ("email", "example.com", '"a@evil.com"@example.com'),
        ("email", "example.com", "a%evil.com@example.com"),
        ("email", "example.com", "evil.com!a@example.com"),
        ("email", "example.com", "example.com <a@evil.com>"),
        ("email", "example.com", "a@evil.com(@example.com)"),
        ("email", "example.com", "a@example.com\nBcc: b@evil.com"),
        ("email", "example.com", "a@example.com,b@evil.com"),
        ("email", "example.com", "a@example.com b@evil.com"),
        ("email", "example.com", "a@ex\u0430mple.com"),
        ("email", "example.com", "-oQ/tmp@example.com"),
        ("email", "example.com", ""),
        ("email", "ops@example.com", "dev@example.com"),
        ("host", "example.com", "https://evil.com"),
        ("host", "example.com", "https://example.com@evil.com"),
        ("host", "example.com", "https://example.com:x@evil.com/"),
        ("host", "example.com", "https://evil.com#@example.com"),
        ("host", "example.com", "https://evil.com\\@example.com"),
        ("host", "example.com", "https://evil.com?example.com"),
        ("host", "example.com", "https://example.com.evil.com"),
        ("host", "example.com", "https://example.com%2eevil.com"),
        ("host", "example.com", "https://exa\tmple.com"),
        ("host", "example.com", " https://example.com"),
        ("host", "example.com", "https://example.com:8080"),
        ("host", "example.com", "//evil.com"),
        ("host", "example.com", "https:/example.com"),
        ("host", "example.com", "http:example.com"),
        ("host", "example.com", "example.com/../evil"),
        ("host", "example.com", "file://example.com/etc/passwd"),
        ("host", "example.com", "javascript://example.com/%0aalert(1)"),
        ("host", "example.com", "https://"),
        ("host", "example.com", "https://example.com:0"),
        ("host", "*.example.com", "https://example.com"),
        ("host", "127.0.0.1", "http://2130706433"),
        ("host", "127.0.0.1", "http://0x7f.1"),
        ("host", "127.0.0.1", "http://0177.0.0.1"),
        ("host", "127.0.0.1", "http://127.1"),
        ("host", "[::1]", "http://[::1%25eth0]"),
        ("path", "reports", "reports/../secrets"),
        ("path", "reports", "reports/.. /secrets"),
        ("path", "reports", "reports/..%2fsecrets"),
        ("path", "reports", "reports/%2E%2E/secrets"),
        ("path", "reports", "reports\\..\\secrets"),
        ("path", "reports", "reports/\uff0e\uff0e/secrets"),
        ("path", "reports", "reports\u2215..\u2215secrets"),
        ("path", "reports", "reports\0.png"),
        ("path", "reports", "reports-old/x"),
        ("path", "reports", "Reports/x"),
        ("path", "reports", "/reports/x"),
        ("path", "reports", "."),
        ("path", ".", "/etc/passwd"),
        ("path", ".", "~/.ssh/id"),
        ("path", ".", "file:///etc/passwd"),
        ("path", ".", "C:/Windows"),
        ("path", ".", ""),
        ("path", "/srv/data", "/srv/database"),
        ("table", "sales.orders", "sales.orders; drop table x"),
        ("table", "sales.orders", "sales.orders--"),
        ("table", "sales.orders", "sales.orders union select"),
        ("table", "sales.orders", '"sales.orders"'),
        ("table", "sales.orders", '"Sales".orders'),
        ("table", "sales.*", "sales.a.b"),
        ("table", "sales.*", "other.orders"),
        ("table", "orders", "hr.orders"),
        ("exact", "C-900", "C-9001"),
        ("exact", "C-900", "C-900\u200b"),
        ("exact", "1", True),
        ("exact", "x", ["x"]),
        ("email", "example.com", {"a@example.com": 1}),
    ],
)
def test_no_trick_passes(kind: TargetKind, allow: str, value: object) -> None:
    assert not allowed(kind, allow, value)


@pytest.mark.parametrize(
    ("kind", "allow"),
    [
        ("email", "exam ple.com"),
        ("host", "https://a@b"),
        ("path", "../x"),
        ("table", "a b"),
        ("host", "*"),
    ],
)
def test_an_allow_list_that_says_nothing_clear_is_an_error(kind: TargetKind, allow: str) -> None:
    with pytest.raises(ValidationError):
        Target(kind=kind, allow=(allow,))


HOSTLY = st.text(string.ascii_letters + string.digits + ".:/@#?%\\[]-_ \t", max_size=24)


@given(HOSTLY)
@example("//evil.com\\.example.com")
def test_an_allowed_url_is_read_as_that_host_by_a_urls_parser(tail: str) -> None:
    url = f"https://{tail}"
    if allowed("host", "example.com", url):
        assert (urlsplit(url).hostname or "").rstrip(".") == "example.com"
        assert urlsplit(url).username is None


@given(st.lists(st.sampled_from(["..", ".", "", "a", "b", "reports", "/", "%2e", " "]), max_size=8))
def test_an_allowed_path_stays_in_its_folder(parts: list[str]) -> None:
    path = "/".join(parts)
    if allowed("path", "reports", path):
        normal = posixpath.normpath(posixpath.join("/root", path))
        assert normal == "/root/reports" or normal.startswith("/root/reports/")


@given(st.text(string.ascii_lowercase + '@.,;<>"() %!\n', max_size=30))
def test_an_allowed_address_is_read_as_such_by_a_mail_parser(text: str) -> None:
    value = text + "@example.com"
    if allowed("email", "example.com", value):
        found = [a for _, a in getaddresses([value.replace(";", ",")]) if a]
        assert found
        assert all(a.rpartition("@")[2] == "example.com" for a in found)


@given(st.ip_addresses())
def test_an_address_has_one_spelling(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    whole = address.exploded if address.version == 4 else f"[{address.exploded}]"
    short = str(address) if address.version == 4 else f"[{address.compressed}]"
    assert targets_in("host", whole) == targets_in("host", f"http://{short}/")


KINDS: list[TargetKind] = ["email", "host", "path", "table", "exact"]


PLAIN = st.text(string.ascii_letters + string.digits + './@-_":', max_size=12)


@given(st.sampled_from(KINDS), PLAIN | st.text(max_size=30))
def test_a_canonical_form_is_its_own(kind: TargetKind, text: str) -> None:
    try:
        found = targets_in(kind, text)
    except ValueError:
        found = []
    for target in found:
        assert targets_in(kind, target) == [target]
        assert permits(kind, entry(kind, target), target)
