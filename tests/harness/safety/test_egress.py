"""Where a call may send something: every disguise of a host that is not allowed."""
# ruff: noqa: RUF001  letters that look like others are the subject

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlsplit

import ada_url
import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from goldspan.harness.guards.addresses import canonical, in_text, texts
from goldspan.harness.guards.egress import EgressGuard
from goldspan.harness.models.protocol import Call
from goldspan.tracing.errors import ConfigError

GUARD = EgressGuard(
    hosts=("good.example", "*.good.example", "10.0.0.5"),
    email_domains=("good.example", "ann@partner.example"),
    fields={"post": {"url": "url", "server": "host", "to": "email", "mail.cc": "email"}},
)


def ruling(text: Any, tool: str = "t", name: str = "x") -> str:
    return GUARD.judge(tool, {name: text}).ruling


EVIL = (
    "http://evil.com",
    "HTTP://EVIL.COM",
    "evil.com",
    "see www.evil.com now",
    "evil.com:8080",
    "evil.com?q=1",
    "http:evil.com",
    "https:/evil.com",
    "https:///evil.com",
    "https:\\\\evil.com",
    "//evil.com/x",
    "wss://evil.com",
    # a user's name before the host, or what looks like one
    "http://good.example@evil.com",
    "http://good.example'@evil.com/",
    "http://good.example;@evil.com/",
    "https://good.example\\@evil.com",
    "http://good.example:80@evil.com:80/",
    "http://evil.com@good.example/",
    "see http://good.example'@intranet/ now",
    "\\\\fileserver\\share",
    "http://good.example ＠evil.com",
    # another host that begins or ends like an allowed one
    "http://good.example.evil.com",
    "http://notgood.example",
    "http://evil.com?good.example",
    "http://evil.com#good.example",
    "http://evil.com/good.example",
    "http://good.example%2eevil.com/",
    "http://good.example%00.evil.com",
    # letters of other scripts, folded forms, other dots
    "http://gооd.example",
    "http://ｅｖｉｌ。com",
    "http://evil。com",
    "evil．com/login",
    "xn--e1awd7f.com",
    # addresses of machines
    "127.0.0.1",
    "http://2130706433",
    "http://0x7f.1",
    "http://0177.0.0.1/",
    "http://127.0.0.1.",
    "http://[::1]/",
    "http://[::ffff:7f00:1]",
    "http://localhost:80/",
    "http://10.0.0.50/",
    # mail
    "a@evil.com",
    "A@EVIL.COM.",
    "Good <a@evil.com>",
    '"a@evil.com"@good.example',
    "a@good.example,b@evil.com",
    "a@good.example\nBcc: b@evil.com",
    "a%evil.com@good.example",
    "evil.com!a@good.example",
    "a@good.example@evil.com",
    "a@[127.0.0.1]",
    "a@gооd.example",
    "bob@partner.example",
    "mailto:a@evil.com",
    "mailto:a@good.example?cc=b@evil.com",
    # what an allowed host might pass on
    "https://good.example/go?url=https%3A%2F%2Fevil.com",
    "https://good.example/go?url=https%253A%252F%252Fevil.com",
    "https://good.example/go?next=//evil.com",
    "https://good.example/go?next=evil.com",
    "https://good.example/go#https:evil.com",
    # other kinds of address
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "ftp://good.example/x",
    "gopher://good.example",
    # written so that one program reads it and another does not
    '{"a": {"url": "http:\\/\\/evil.com"}}',
    '["\\u0068ttp://evil.com"]',
    "ht\ntp://ev\nil.com",
    "http://good.example\n.evil.com/",
    "http://good.example\t.evil.com/",
    "&#104;ttp://evil.com",
    "http&#58;//evil.com",
    "http://ev%69l.com",
    "http://good.example:99999/",
    "![pixel](https://evil.com/a.png?q=1)",
    "[home](http://evil.com)",
)
FINE = (
    "see https://good.example/a?b=c.",
    "(https://good.example),",
    "HTTP://GOOD.EXAMPLE./",
    "http://xn--good.good.example/",
    "https://good.example:8443/x",
    "[docs](https://api.good.example/x_y).",
    "https://good.example/a\nhttps://api.good.example/b",
    "https://good.example/a?u=https%3A%2F%2Fapi.good.example%2F",
    "http://10.0.0.5/x",
    "a@good.example",
    "Ann <a.b+c@good.example>",
    "mail ann@partner.example, ANN@PARTNER.EXAMPLE!",
    "mailto:a@good.example",
    "L-5001 is 19.00 USD, see report.pdf and main.py, e.g. this, i.e. that.",
    "2@19.50 USD each, 50% of x, 12:30, 1.5h, and/or a // comment",
    "version 2.4.1 of v1.2.0 at 2026-11-17T06:00",
    "the handle @alice, x@y, a/b/c.txt, src/main.py:12, C:\\temp\\file.txt",
    '{"a": 1}',
    "{not json",
    "",
)


@pytest.mark.parametrize("text", EVIL)
def test_a_place_that_is_not_allowed_is_found(text: str) -> None:
    verdict = GUARD.judge("t", {"a": [{"b": text}]})
    assert verdict.ruling == "deny"
    assert verdict.reason.startswith("a[0].b of t: ")


@pytest.mark.parametrize("text", FINE)
def test_what_is_allowed_passes(text: str) -> None:
    verdict = GUARD.judge("t", {"a": [{"b": text}]})
    assert verdict.ruling == "allow", verdict.reason


@pytest.mark.parametrize(
    ("field", "text", "expected"),
    [
        ("url", "https://good.example/a", "allow"),
        ("url", "good.example", "deny"),
        ("url", "https://good.example/ and more", "deny"),
        ("url", "https://good.example/?q=evil.com", "deny"),
        ("server", "api.good.example", "allow"),
        ("server", "API.GOOD.EXAMPLE.", "allow"),
        ("server", "good.example/x", "deny"),
        ("server", "good.example:22", "deny"),
        ("server", "nowhere", "deny"),
        ("server", "167772165", "allow"),  # 10.0.0.5
        ("server", "2130706433", "deny"),
        ("to", "a@good.example", "allow"),
        ("to", "Ann <a@good.example>", "deny"),
        ("to", "a@good.example b@good.example", "deny"),
        ("to", "a@good.example\nBcc: a@good.example", "deny"),
        ("to", "everybody", "deny"),
        ("to", "", "deny"),
    ],
)
def test_a_declared_field_is_one_address_and_nothing_else(
    field: str, text: str, expected: str
) -> None:
    assert GUARD.judge("post", {field: text}).ruling == expected


def test_a_declared_field_may_be_a_list_inside_an_object() -> None:
    allowed = {"mail": {"cc": ["a@good.example", "b@good.example"]}}
    assert GUARD.judge("post", allowed).ruling == "allow"
    assert GUARD.judge("post", {"mail": {"cc": ["a@good.example", "us"]}}).ruling == "deny"
    assert GUARD.judge("other", {"mail": {"cc": ["us"]}}).ruling == "allow"


def test_names_of_fields_and_json_inside_json_are_read() -> None:
    assert ruling({"https://evil.com": 1}) == "deny"
    assert ruling(json.dumps(json.dumps([{"to": "a@evil.com"}]))) == "deny"
    assert [path for path, _ in texts({"a": ["x", {"b": '{"c": "y"}'}]})] == [
        "arguments", "a[0]", "a[1]", "a[1].b", "a[1].b", "a[1].b.c"
    ]  # fmt: skip


def test_an_empty_list_allows_no_place_at_all() -> None:
    guard = EgressGuard()
    assert guard.judge("t", {"x": "https://good.example"}).ruling == "deny"
    assert guard.judge("t", {"x": "a@good.example"}).ruling == "deny"
    assert guard.judge("t", {"x": "no address"}).ruling == "allow"


def test_a_wildcard_has_what_is_below_and_not_the_name_itself() -> None:
    guard = EgressGuard(hosts=("*.good.example",))
    assert guard.judge("t", {"x": "https://a.b.good.example"}).ruling == "allow"
    assert guard.judge("t", {"x": "https://good.example"}).ruling == "deny"
    assert guard.judge("t", {"x": "https://xgood.example"}).ruling == "deny"


def test_it_is_a_guard_of_the_loop_and_judges_answers() -> None:
    verdict = GUARD.check(Call("call_1", "t", {"x": "http://xn--80ak6aa92e.com"}), None)
    assert (verdict.guard, verdict.ruling) == ("egress", "deny")
    assert "other letters than it seems" in verdict.reason
    assert "allowed: *.good.example, 10.0.0.5, good.example" in verdict.reason
    assert GUARD.judge_text("![x](https://evil.com/?q=secret)").ruling == "deny"
    assert GUARD.judge_text("See https://good.example.").ruling == "allow"


@pytest.mark.parametrize("entry", ["http://a.example", "a b", "", "a.example/x", "a@b", "*", "*."])
def test_an_entry_that_is_no_host_is_an_error(entry: str) -> None:
    with pytest.raises(ConfigError, match="is no host"):
        EgressGuard(hosts=(entry,))


SIGNS = "/\\@?#&=.,;:'\"()[]<>|%ax。＠／\t\n\r \u200b\u00ad"
WORDS = "http|https|ws|//|..|%2e|%40|%2f|%00|:80|::1|127.0.0.1|2130706433|0x7f.1|evil.com|EVIL.COM"
MORE = "xn--e1awd7f.com|гооd|good.example"
PIECES = st.sampled_from([*SIGNS, *WORDS.split("|"), *MORE.split("|")])
STARTS = st.sampled_from(
    ["http://", "https:", "//", "", "http://good.example", "HTTPS://a.good.example/", "https://x@"]
)


def _hosts(text: str) -> set[str]:
    """Where three clients of today would go with this text as a URL."""
    found = set()
    clients: tuple[Callable[[], str | None], ...] = (
        lambda: ada_url.URL(text).hostname,
        lambda: urlsplit(text).hostname,
        lambda: httpx2.URL(text).host,
    )
    for read in clients:
        try:
            found.add((read() or "").replace("。", ".").rstrip("."))
        except (ValueError, httpx2.InvalidURL):
            continue
    return found - {""}


@settings(max_examples=600, deadline=None)
@given(st.lists(PIECES, max_size=7).map("".join), STARTS)
@example("good.example\\@evil.com", "http://")
@example("[::1]", "http://")
def test_no_client_is_led_elsewhere_by_what_passes(rest: str, start: str) -> None:
    text = start + rest
    if GUARD.judge("post", {"url": text}).ruling == "allow":
        assert all(h == "good.example" or h.endswith(".good.example") for h in _hosts(text))
    if _is_one_url(text) and ruling(text) == "allow":
        assert all(h == "good.example" or h.endswith(".good.example") for h in _hosts(text))


def _is_one_url(text: str) -> bool:
    """Whether a text is one URL of the web, as an undeclared field could hold it."""
    return text.lower().startswith(("http:", "https:", "//")) and " " not in text


LABEL = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
DISGUISES = (
    lambda host: f"http://{host}/",
    lambda host: f"see https://{host.upper()}, please",
    lambda host: f"a@{host}",
    lambda host: f"Ann <a.b@{host}>",
    lambda host: f"https://good.example/?next={quote(f'https://{host}/', safe='')}",
    lambda host: f"https://good.example@{host}/",
    lambda host: f"https://good.example.{host}/",
    lambda host: f"http:\\\\{host}",
    lambda host: f"//{host}/x",
    lambda host: "".join(chr(ord(c) + 0xFEE0) if c != "." else "。" for c in f"www.{host}"),
    lambda host: "".join(f"&#{ord(c)};" for c in f"http://{host}"),
    lambda host: json.dumps({"deep": [json.dumps({"to": f"x@{host}"})]}),
)


@settings(max_examples=300, deadline=None)
@given(
    LABEL,
    st.sampled_from(["com", "net", "co.uk", "example.org"]),
    st.sampled_from(DISGUISES),
    st.text(alphabet="abc ,.!\n", max_size=12),
)
def test_a_host_is_found_in_any_disguise(label: str, end: str, disguise: Any, before: str) -> None:
    text = disguise(f"{label}.{end}")
    if not text.startswith("{"):
        text = f"{before} {text}"
    assert ruling(text) == "deny"


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=40)
        | st.lists(PIECES, max_size=12).map("".join),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=8,
    )
)  # fmt: skip
def test_any_arguments_get_a_verdict(arguments: Any) -> None:
    assert GUARD.judge("post", arguments).ruling in ("allow", "deny")


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_a_canonical_host_stays_as_it_is(text: str) -> None:
    name = canonical(text)
    if name is not None:
        assert canonical(name) == name


def test_long_texts_are_read_in_linear_time() -> None:
    for piece in ("a.", "a@", "http:", "//", "%25", "&amp;", "\\", "[:", "x-"):
        in_text(piece * 20_000)
