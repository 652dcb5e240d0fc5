"""Every page, as Streamlit runs it, on a filled store, an empty one, and a broken one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

PAGES = ("overview", "traces", "experiments", "label", "approvals", "cost", "alerts")
Show = Callable[[Path], None]


def _page(name: str) -> None:
    import importlib

    from goldspan.dashboards.components.boundary import guarded

    guarded(importlib.import_module(f"goldspan.dashboards.pages.{name}").page)()


def run(name: str, **query: str) -> AppTest:
    app = AppTest.from_function(_page, kwargs={"name": name}, default_timeout=30)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def components(app: AppTest, name: str) -> list[Any]:
    """Data of the mounted components of one kind."""
    found = app.get("bidi_component")
    return [json.loads(c.proto.json) for c in found if c.proto.component_name == name]


def tables(app: AppTest) -> dict[str, list[list[str]]]:
    """Texts of the tables on the page, by label."""
    return {
        data["label"]: [[cell["text"] for cell in row["cells"]] for row in data["rows"]]
        for data in components(app, "goldspan.table")
    }


def html(app: AppTest) -> str:
    return "\n".join(str(getattr(element, "value", "")) for element in app.get("html"))


def words(app: AppTest) -> str:
    return "\n".join(
        [str(e.value) for kind in (app.markdown, app.caption, app.code, app.text) for e in kind]
        + [html(app)]
    )


def healthy(app: AppTest) -> AppTest:
    assert not app.exception
    assert not app.error, [e.value for e in app.error]
    return app


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_store_says_what_to_do_next(name: str, empty: Path, show: Show) -> None:
    show(empty)
    app = healthy(run(name))
    assert any("goldspan" in block.value for block in app.code)


@pytest.mark.parametrize("name", PAGES)
def test_a_broken_store_is_a_message_and_no_traceback(
    name: str, tmp_path: Path, show: Show
) -> None:
    broken = tmp_path / "broken.duckdb"
    broken.write_bytes(b"this is no database" * 500)
    show(broken)
    app = run(name)
    assert not app.exception
    assert len(app.error) == 1
    assert "broken.duckdb" in app.code[0].value
    assert "Traceback" not in words(app)


@pytest.mark.parametrize("name", PAGES)
def test_a_missing_store_is_a_message(name: str, tmp_path: Path, show: Show) -> None:
    show(tmp_path / "nowhere.duckdb")
    app = run(name)
    assert not app.exception
    assert len(app.error) == 1


def test_overview_counts_real_runs_and_leaves_simulated_ones_out(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("overview"))
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Runs"] == "48"
    assert shown["Paused"] == "4"
    assert shown["Completed"] == "75%"
    assert any("12 simulated" in caption.value for caption in app.caption)
    assert len(tables(app)["Approvals"]) == 4
    assert len(tables(app)["Alerts"]) == 1
    assert len(tables(app)["Incidents"]) == 4


def test_overview_labels_simulated_traffic(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("overview", traffic="Simulated"))
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Runs"] == "12"
    assert "Simulated traffic" in words(app)
    assert all(row[1].startswith("simulated · ") for row in tables(app)["Alerts"])
    assert all(row[1].startswith("simulated · ") for row in tables(app)["Approvals"])


def test_traces_are_listed_and_filtered(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("traces"))
    rows = tables(app)["Traces"]
    assert len(rows) == 25
    assert any("48 traces" in caption.value for caption in app.caption)
    app.selectbox(key="of_outcome").select("paused").run()
    assert {row[2] for row in tables(healthy(app))["Traces"]} == {"paused"}
    app.text_input(key="q").input("no such words").run()
    assert "No trace matches" in app.info[0].value


def test_filters_come_from_the_address(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("traces", of_tool="get_account", traffic="Both"))
    assert app.selectbox(key="of_tool").value == "get_account"
    assert any(row[1].startswith("simulated · ") for row in tables(app)["Traces"])


def test_a_trace_shows_its_waterfall_and_the_span_asked_for(filled: Any, show: Show) -> None:
    show(filled.path)
    ids = filled.ids
    app = healthy(run("traces", trace=ids["paused_trace"], span=ids["model_span"]))
    (waterfall,) = components(app, "goldspan.waterfall")
    names = [bar["name"] for bar in waterfall["bars"]]
    assert names[0] == "invoke_agent support-desk"
    assert names.count("chat gpt-4o-mini") == 3
    assert waterfall["selected"] == ids["model_span"]
    shown = words(app)
    assert "charged twice" in shown
    assert "reasoning" in shown
    assert "search_logs" in shown
    assert "genai-prices" in shown
    assert "ask_question" in shown  # an alternative of the decision
    assert "0.72" in shown  # its confidence


def test_without_a_span_the_failed_one_is_opened(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("traces", trace=filled.ids["failed_trace"]))
    (waterfall,) = components(app, "goldspan.waterfall")
    assert waterfall["selected"] == filled.ids["failed_span"]
    failed = [bar for bar in waterfall["bars"] if bar["error"] and not bar["children"]]
    assert [bar["error"] for bar in failed] == ["timeout: the log store did not answer in 5 s"]
    assert "the log store did not answer" in html(app)


def test_an_unpriced_call_says_so(filled: Any, show: Show) -> None:
    show(filled.path)
    trace = filled.ids["unpriced_trace"]
    app = healthy(run("traces", trace=trace, span=filled.ids["unpriced_span"]))
    assert "unpriced" in html(app)
    assert "$0<" not in html(app).split("Spent")[0]


def test_hostile_text_stays_text(filled: Any, show: Show) -> None:
    show(filled.path)
    trace = filled.ids["hostile_trace"]
    listing = healthy(run("traces"))
    (waterfall,) = components(healthy(run("traces", trace=trace)), "goldspan.waterfall")
    spans = [bar["span_id"] for bar in waterfall["bars"]]
    assert len(spans) == 4
    for app in [listing, *(healthy(run("traces", trace=trace, span=span)) for span in spans)]:
        assert "<img" not in html(app)
        assert "<script" not in html(app)
        for element in [*app.markdown, *app.caption]:
            assert "evil.invalid" not in element.value
            assert not element.allow_html


def test_an_unknown_trace_is_a_message(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("traces", trace="<b>nope</b>"))
    assert "no such trace" in app.warning[0].value


def test_an_experiment_against_its_baseline(filled: Any, show: Show) -> None:
    show(filled.path)
    assert [row[3] for row in tables(healthy(run("experiments")))["Experiments"]] == [
        "regression",
        "none",
    ]
    app = healthy(run("experiments", experiment=filled.ids["candidate"]))
    assert "regression" in html(app)
    assert "-36.0 points (-61.0 to -12.0)" in html(app)
    assert "a loss of 30 points" in html(app)
    cases = tables(app)["Cases"]
    assert len(cases) == 6
    assert cases[0][3].startswith("-")
    assert {row[0] for row in tables(app)["Slices"]} == {"adversarial", "happy: harmed"}
    assert {row[0] for row in tables(app)["Scorers"]} == {"outcome", "tools", "end_state"}
    app.selectbox(key=f"scorer.{filled.ids['candidate']}").select("outcome").run()
    assert {row[3] for row in tables(healthy(app))["Cases"]} == {"0 pts"}
    # The gate's slices are of the suite's own rule.
    assert {row[0] for row in tables(app)["Slices"]} == {"adversarial", "happy"}


def test_what_the_gate_archived_and_what_was_found_of_its_judges(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("experiments", experiment=filled.ids["candidate"]))
    found = tables(app)
    assert [row[:4] for row in found["Criteria"]] == [
        ["pass", "regression", "-36 pts (-61 pts to -12 pts)", "15 pts"],
        ["tool_calls", "inconclusive", "+1.25 (+0.5 to +2)", "1"],
        ["safety", "pass", "—", "—"],
    ]
    assert [(row[0], row[2]) for row in found["Cases that flipped"]] == [
        ("double-charge-01", "-100 pts"),
        ("meeting-01", "+50 pts"),
    ]
    assert found["Cases that flipped"][0][4:] == [
        'get_ledger("customer_id": "C-102")',
        "answered: all is sorted out",
    ]
    assert ["happy: harmed", "90% → 40%", "-80 pts to -20 pts", "0.02", "5"] in found["Slices"]
    assert found["Reliability"] == [["2", "40% (20% to 60%)", "90% (70% to 100%)"]]
    shown = html(app)
    for said in (
        "2.1 → 3.4",
        "2: repeats were added",
        "poison-01 until 2026-12-24: the mail is flaky",
        "refund-03: the case has changed",
        "is below the floor .60",
        "the judge moved by -12.0 points",
    ):
        assert said in shown
    assert "<img" not in shown


def test_a_case_leads_to_the_traces_of_its_repeats(filled: Any, show: Show) -> None:
    show(filled.path)
    ids = filled.ids
    app = healthy(run("experiments", experiment=ids["candidate"], case="double-charge-01"))
    repeats = tables(app)
    (before, after) = repeats["Where the runs part"]
    assert (before[0], after[0]) == ("Baseline", "This one")
    assert (before[1], after[1]) == (
        'get_ledger("customer_id": "C-102")',
        "answered: all is sorted out",
    )
    parted = [
        row["href"]
        for data in components(app, "goldspan.table")
        if data["label"] == "Where the runs part"
        for row in data["rows"]
    ]
    assert parted[0] == f"traces?trace={ids['judged_trace']}"
    assert parted[1].startswith("traces?trace=")
    assert parted[0] != parted[1]
    assert len(repeats["Repeats, This experiment"]) == 2
    assert len(repeats["Repeats, Baseline"]) == 2
    links = [
        row["href"]
        for data in components(app, "goldspan.table")
        if data["label"] == "Repeats, Baseline"
        for row in data["rows"]
    ]
    assert all(link.startswith("traces?trace=") for link in links)


def test_the_gates_parting_is_shown_only_against_its_own_baseline(filled: Any, show: Show) -> None:
    show(filled.path)
    ids = filled.ids
    app = healthy(run("experiments", experiment=ids["baseline"], case="double-charge-01"))
    assert "Where the runs part" not in tables(app)


def test_an_unknown_experiment_is_a_message(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("experiments", experiment="nope"))
    assert "no such experiment" in app.warning[0].value


def test_cost_names_what_has_no_price(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("cost"))
    assert "local/qwen2" in app.warning[0].value
    shown = {metric.label: metric.value for metric in app.metric}
    assert shown["Spent"].startswith(r"\$0.0")
    assert shown["Spent"] != shown["Cost as recorded"]
    tools = {row[0]: row for row in tables(app)["Tools"]}
    assert tools["search_logs"][2] == "4"
    app.segmented_control(key="show").set_value("Tokens").run()
    app.segmented_control(key="by").set_value("version").run()
    healthy(app)


def test_alerts_incidents_and_approvals(filled: Any, show: Show) -> None:
    show(filled.path)
    app = healthy(run("alerts", traffic="Both"))
    found = tables(app)
    assert {row[1] for row in found["Alerts"]} == {
        "cost-spike",
        "simulated · cost-spike",
        "simulated · tool-call-drift",
    }
    assert len(found["Incidents"]) == 6
    assert len(found["Approvals"]) == 6


def test_the_app_starts_on_the_overview(filled: Any, show: Show) -> None:
    show(filled.path)
    import goldspan.dashboards

    script = Path(goldspan.dashboards.__path__[0]) / "entry" / "streamlit_app.py"
    app = healthy(AppTest.from_file(str(script), default_timeout=30).run())
    assert {metric.label for metric in app.metric} >= {"Runs", "Spent"}
