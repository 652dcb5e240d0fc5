"""Everything that is known about one span: what was said, what it cost, what was decided."""

from __future__ import annotations

from typing import Any

import streamlit as st

from goldspan.dashboards import reading
from goldspan.dashboards.components import text
from goldspan.dashboards.components.conversation import conversation
from goldspan.dashboards.components.events import events, judgements
from goldspan.dashboards.display import count, decoded, duration, known, pretty, tokens, usd
from goldspan.dashboards.messages import read_instructions, read_messages
from goldspan.dashboards.waterfall import kind_of
from goldspan.tracing import semconv

Fields = dict[str, Any]


def span_detail(trace: Fields, span: Fields, *, is_root: bool) -> None:
    """Show the span; on the root also the events and judgements that name no span."""
    where = {"trace": trace["trace_id"], "span": span["span_id"]}
    model_call = reading.one("span_model_call", **where)
    tool_call = reading.one("span_tool_call", **where)

    def here(row: Fields) -> bool:
        return row["span_id"] == span["span_id"] or (is_root and not row["span_id"])

    happened = [r for r in reading.records("trace_events", trace=trace["trace_id"]) if here(r)]
    judged = [r for r in reading.records("trace_evaluations", trace=trace["trace_id"]) if here(r)]
    if is_root:
        judged = reading.records("trace_evaluations", trace=trace["trace_id"])
    happened = [row for row in happened if row["event_name"] != semconv.EVALUATION_RESULT]

    failed = span["status"] == "error" or span["error_type"]
    labels: list[tuple[str, text.Tone]] = [("error", "bad")] if failed else []
    if model_call and model_call["replayed"]:
        labels.append(("replayed", "made"))
    text.heading(str(span["name"]), *labels, small=True)
    if failed:
        said = [str(span[key]) for key in ("error_type", "error_message") if span[key]]
        text.passage(": ".join(said) or "error without a message", label="error", tone="bad")
    text.facts(_facts(span, model_call, tool_call))

    names = [
        "Content",
        f"Events ({len(happened)})",
        f"Evaluations ({len(judged)})",
        "Attributes",
    ]
    content, event_tab, judged_tab, raw = st.tabs(names)
    with content:
        _content(trace, span, model_call, tool_call, is_root=is_root)
    with event_tab:
        events(happened)
    with judged_tab:
        judgements(judged)
    with raw:
        text.document(pretty(decoded(span["attributes"]) or {}), is_json=True)


def _facts(span: Fields, model_call: Fields | None, tool_call: Fields | None) -> list[text.Fact]:
    facts: list[text.Fact] = [
        ("Kind", kind_of(span)),
        ("Duration", duration(span["duration_ms"]) if known(span["ended_at"]) else "not ended"),
    ]
    if model_call:
        facts += _model_facts(model_call)
    if tool_call:
        facts += [
            (label, str(tool_call[key]))
            for label, key in (("Tool", "tool_name"), ("Call id", "tool_call_id"))
            if tool_call[key]
        ]
    return facts


def _model_facts(call: Fields) -> list[text.Fact]:
    served = call["response_model"] or call["request_model"] or "unknown"
    model = served
    if call["request_model"] and call["request_model"] != served:
        model = f"{served} (asked for {call['request_model']})"
    facts: list[text.Fact] = [
        ("Model", f"{call['provider'] or 'unknown provider'} · {model}"),
        ("Tokens in + out", tokens(call["input_tokens"], call["output_tokens"])),
    ]
    facts += [
        (label, count(call[key]))
        for label, key in (
            ("of these cached", "cached_input_tokens"),
            ("written to cache", "cache_write_tokens"),
            ("reasoning", "reasoning_tokens"),
        )
        if call[key]
    ]
    if known(call["cost_usd"]):
        facts.append(("Cost as recorded", usd(call["cost_usd"])))
        facts.append(("Spent", usd(call["spent_usd"])))
        source = " ".join(str(call[k]) for k in ("price_source", "price_version") if call[k])
        facts.append(("Price from", source or "unknown"))
    else:
        facts.append(("Cost", "unpriced: this model has no known price", "wait"))
    if known(call["time_to_first_token_ms"]):
        facts.append(("First token after", duration(call["time_to_first_token_ms"])))
    reasons = decoded(call["finish_reasons"])
    if reasons:
        shown = ", ".join(map(str, reasons)) if isinstance(reasons, list) else str(reasons)
        facts.append(("Finished", shown))
    return facts


def _content(
    trace: Fields,
    span: Fields,
    model_call: Fields | None,
    tool_call: Fields | None,
    *,
    is_root: bool,
) -> None:
    if model_call:
        asked = read_instructions(model_call["system_instructions"])
        asked += read_messages(model_call["input_messages"])
        answered = read_messages(model_call["output_messages"])
        if not asked and not answered:
            st.caption("No content was captured for this call.")
            return
        st.caption("Answer")
        conversation(answered)
        st.caption(f"Request, {len(asked)} messages")
        conversation(asked)
    elif tool_call:
        for label, key in (("Arguments", "arguments"), ("Result", "result")):
            st.caption(label)
            if known(tool_call[key]):
                text.document(pretty(decoded(tool_call[key])), is_json=True)
            else:
                st.caption("not captured")
    elif is_root and (trace["input"] or trace["output"]):
        for label, key, tone in (("Input", "input", "info"), ("Output", "output", "made")):
            st.caption(label)
            if trace[key]:
                text.passage(str(trace[key]), tone="info" if tone == "info" else "made")
            else:
                st.caption("none recorded")
    else:
        st.caption("This span carries no messages. Its attributes are in the last tab.")
