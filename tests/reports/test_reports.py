"""Reports on a real store: what they say, where their links lead, what hostile text does."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from goldspan.dashboards import navigation
from goldspan.dashboards.reports import links, make_report, reading, render, write_reports
from goldspan.dashboards.reports.failures import repeated_failures
from goldspan.dashboards.reports.figures import Context
from goldspan.dashboards.reports.markdown import escape
from goldspan.dashboards.reports.model import Evidence, Figure, Report
from goldspan.tracing.errors import ConfigError, InputError
from goldspan.tracing.store import Store
from tests.reports.conftest import HOSTILE, LONELY

SINCE = datetime(2020, 1, 1, tzinfo=UTC)
LINK = re.compile(r"http://127\.0\.0\.1:8501/traces\?trace=([0-9a-f]{32})")


def all_reports(store: Store) -> list[Report]:
    runs = [make_report(store, run_id=r) for r in ("done", "wait", "loop", "sent", "simu")]
    return [*runs, make_report(store, batch="monday"), make_report(store, since=SINCE)]


class Page(HTMLParser):
    """Collects a page's elements and where they lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: set[str] = set()
        self.handlers: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses |= {value or "" for name, value in attrs if name in {"href", "src"}}
        self.handlers |= {name for name, _ in attrs if name.startswith("on")}


def test_a_batch_counts_outcomes_apart_and_asks_for_what_is_to_be_done(store: Store) -> None:
    report = make_report(store, batch="monday")
    (total,) = report.totals
    found = {name: figure.value for name, figure in total.outcomes.items()}
    assert found == {
        "completed": 2,
        "paused": 1,
        "failed": 0,
        "aborted": 1,
        "killed": 0,
        "running": 0,
    }
    assert (total.approvals.value, total.approvals_pending.value) == (2, 1)
    assert (total.incidents.value, total.artifacts.value) == (1, 1)
    assert [a.status for a in report.approvals] == ["pending", "decided"]
    decided = report.approvals[1]
    assert (decided.decision, decided.reviewer) == ("approve", "case")
    assert decided.waited.value is not None
    texts = [action.text for action in report.next_actions]
    assert texts[0].startswith("the run is over, since it cannot wait here")
    assert texts[1].startswith("look at what the guard stopped: look was called 4 times")
    assert next(line.run_id for line in report.runs) == "wait-1"
    (write,) = [tool for tool in report.tools if tool.name == "write"]
    assert write.calls.value == 1
    look = next(tool for tool in report.tools if tool.name == "look")
    assert (look.calls.value, look.errors.value, len(look.error_types)) == (4, 1, 1)


def test_a_run_shows_its_budget_against_what_was_used(store: Store) -> None:
    report = make_report(store, run_id="done-1")
    lines = {line.limit_name: line for line in report.budget}
    assert (lines["tokens"].used.value, lines["tokens"].limit.value) == (40, 2000)
    assert lines["tokens"].share.text == "2%"
    assert (lines["tool calls"].used.value, lines["tool calls"].limit.value) == (1, 4)
    assert report.terms == {
        "max repeats": "2",
        "max cycles": "3",
        "max stale": "4",
        "parallel reads": "8",
        "alarm at": "10.0",
        "stop at": "50.0",
    }


def test_what_is_unknown_is_never_zero(store: Store) -> None:
    report = make_report(store, run_id="simu-1")
    (cost,) = report.costs
    assert (cost.spent.text, cost.as_recorded.text) == ("unknown", "unknown")
    assert cost.unpriced_calls.value == 1
    assert "unknown" in render(report, "md")
    assert "$0" not in render(report, "md")
    assert "a price in prices.yaml: 1 calls have none" in report.next_actions[-1].text
    assert Figure(0.5, "usd", at_least=True).text == "at least $0.5000"


def test_simulated_traffic_is_labelled_and_never_added(store: Store) -> None:
    report = make_report(store, since=SINCE)
    assert [total.traffic for total in report.totals] == ["real", "simulated"]
    assert [total.runs.value for total in report.totals] == [5, 1]
    assert report.alerts[0].traffic == "simulated"
    for form in ("md", "html"):
        assert "Simulated traffic is in this report" in render(report, form)
    assert "Simulated" not in render(make_report(store, batch="monday"), "md")


def test_a_run_that_is_known_by_an_event_alone_is_running_and_has_no_link(store: Store) -> None:
    report = make_report(store, run_id=LONELY)
    assert report.run is not None
    assert (report.run.outcome, report.run.trace) == ("running", None)
    assert not LINK.search(render(report, "html"))


def test_every_link_leads_to_a_trace_of_the_store(store: Store) -> None:
    known = {row["trace_id"] for row in store.rows("SELECT trace_id FROM traces")}
    for report in all_reports(store):
        for form in ("md", "html", "json"):
            found = set(LINK.findall(render(report, form)))
            assert found
            assert found <= known
    assert [len(alert.evidence) for alert in make_report(store, since=SINCE).alerts] == [1]


def test_links_are_written_as_the_dashboard_writes_them() -> None:
    told = navigation.href(navigation.TRACES, trace="ab", span="cd")
    assert links.trace_url("http://h", Evidence("x", "ab", "cd")) == f"http://h/{told}"
    told = navigation.href(navigation.EXPERIMENTS, experiment="a b")
    assert links.experiment_url("http://h", "a b") == f"http://h/{told}"


def test_hostile_text_stays_text_in_html(store: Store) -> None:
    for report in all_reports(store):
        text = render(report, "html")
        page = Page(text)
        assert not page.tags & {"script", "img", "iframe", "link", "object"}
        assert not page.handlers
        assert all(a.startswith("http://127.0.0.1:8501/") for a in page.addresses)
    assert "&lt;script&gt;" in render(make_report(store, run_id="loop"), "html")


def test_hostile_text_stays_text_in_markdown(store: Store) -> None:
    reader = MarkdownIt("commonmark").enable("table")
    for report in all_reports(store):
        text = render(report, "md")
        page = Page(reader.render(text))
        assert not page.tags & {"script", "img"}
        assert all(a.startswith("http://127.0.0.1:8501/") for a in page.addresses)
        widths: list[int] = []
        for line in [*text.splitlines(), ""]:
            if line.startswith("|"):
                widths.append(len(re.findall(r"(?<!\\)\|", line)))
            else:
                assert len(set(widths)) <= 1
                widths = []


@pytest.mark.parametrize("text", [HOSTILE, "# x", "1. x", "- x", "_a_ b_c", "a\n\n# b", "www.x.yz"])
def test_escaped_text_reads_as_it_was(text: str) -> None:
    class Words(HTMLParser):
        said = ""

        def handle_data(self, data: str) -> None:
            self.said += data

    words = Words()
    words.feed(MarkdownIt("commonmark").render(escape(text)))
    assert words.said.replace("\u200b", "").strip() == " ".join(text.split())


def test_the_markdown_of_a_run(store: Store) -> None:
    text = render(make_report(store, run_id="wait-1"), "md")
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", "TIME", text)
    text = re.sub(r"trace=\w{32}(&span=\w{16})?", "trace=T", text)
    text = re.sub(r"\[[\d.]+ m?s\]", "[DURATION]", text)
    text = re.sub(r"approval \w{12}", "approval A", text)
    golden = Path(__file__).with_name("wait-1.md")
    assert text == golden.read_text(encoding="utf-8")


def test_each_claim_leads_to_its_span(store: Store) -> None:
    told = make_report(store, batch="monday")
    (run,) = (line for line in told.runs if line.run_id == "sent-1")
    claims = [told.approvals[1].trace, told.artifacts[0].trace, run.trace]
    claims += [run.tokens.evidence[0], told.budget[0].used.evidence[0]]
    for claim, category in zip(claims, ["agent", "tool", *["agent"] * 3], strict=True):
        assert claim is not None
        (span,) = store.rows(
            "SELECT category FROM span_data WHERE trace_id = ? AND span_id = ?",
            [claim.trace_id, claim.span_id],
        )
        assert span["category"] == category


def test_json_carries_numbers_and_addresses(store: Store) -> None:
    told = json.loads(render(make_report(store, run_id="done"), "json"))
    calls = told["totals"][0]["model_calls"]
    assert calls["value"] == 2
    assert LINK.match(calls["evidence"][0]["url"])


def test_write_reports_into_a_folder_or_a_file(store: Store, tmp_path: Path) -> None:
    files = write_reports(store, batch="monday", out=tmp_path / "new" / "folder")
    assert [file.name for file in files] == ["report.md", "report.html"]
    assert write_reports(store, run_id="done", out=tmp_path / "x.html") == [tmp_path / "x.html"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new", "x.html"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        write_reports(store, run_id="done", out=tmp_path / "file" / "below")


def test_wrong_choices_are_told(store: Store) -> None:
    with pytest.raises(ConfigError, match="exactly one"):
        make_report(store)
    with pytest.raises(ConfigError, match="exactly one"):
        make_report(store, run_id="done", batch="monday")
    with pytest.raises(ConfigError, match="no address"):
        make_report(store, run_id="done", dashboard_url="javascript:alert(1)")
    with pytest.raises(InputError, match="the newest batches: monday"):
        make_report(store, batch="tuesday")
    with pytest.raises(InputError, match="the newest runs: "):
        make_report(store, run_id="nobody")
    with pytest.raises(InputError, match="nothing is stored since 2099"):
        make_report(store, since=datetime(2099, 1, 1, tzinfo=UTC))


def test_every_query_begins_with_its_question() -> None:
    folder = Path(reading.__file__).with_name("queries")
    for path in folder.glob("*.sql"):
        first = reading.question(path.stem).partition("\n")[0]
        assert first.startswith("-- ")
        assert first.endswith("?")


def error_row(trace: str, kind: str, errors: int, **more: object) -> dict[str, object]:
    row = {"run_id": trace[0], "trace_id": trace, "tool_name": "look", "error_type": kind}
    return {**row, "errors": errors, "first_span_id": f"s-{trace[0]}", **more}


def test_a_failure_is_a_repeated_one_from_three_times_on() -> None:
    a, b = "a" * 32, "b" * 32
    context = Context({a: "a-1", b: "b-1"}, {})
    rows = [
        error_row(a, "TimeoutError", 2),
        error_row(b, "TimeoutError", 1),
        error_row(a, "NotFound", 2),
        error_row(b, "NotFound", 5, simulated=True),
    ]
    lines = repeated_failures(rows, [], context)
    assert [(f.traffic, f.what, f.how, f.times.value, f.runs) for f in lines] == [
        ("real", "tool look", "TimeoutError", 3, 2),
        ("simulated", "tool look", "NotFound", 5, 1),
    ]
    assert lines[0].times.evidence[0] == Evidence("a", a, "s-a")


def test_runs_that_end_for_one_reason_are_one_failure_whatever_its_numbers() -> None:
    def run(number: int, outcome: str, reason: str) -> dict[str, object]:
        about = {"run_id": str(number), "trace_id": str(number) * 32}
        return {**about, "outcome": outcome, "reason": reason}

    runs = [run(n, "aborted", f"budget of {n} tokens is used up ({n}.5)") for n in (1, 2, 3)]
    runs += [run(4, "failed", "budget of 1 tokens is used up"), run(5, "paused", "waits")]
    (line,) = repeated_failures([], runs, Context({"1" * 32: "s-1"}, {}))
    assert (line.what, line.times.value) == ("runs aborted", 3)
    assert line.how == "budget of 1 tokens is used up (1.5)"


def test_a_day_is_one_of_utc_and_every_failure_in_it_leads_to_a_span(store: Store) -> None:
    today = datetime.now(UTC).date()
    report = make_report(store, day=today)
    assert report.title == f"Day report: {today}"
    assert report.since is not None
    assert report.until is not None
    assert (report.until - report.since).days == 1
    whole = make_report(store, since=SINCE)
    assert report.totals == whole.totals
    assert json.loads(render(report, "json"))["day"] == str(today)
    assert "Day report" in render(report, "html")
