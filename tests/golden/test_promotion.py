"""A trace becomes a case: what is proposed of what it did, and how a file grows by it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from tests.harness.scripted import Notebook, ScriptedModel, act, write_version

from goldspan.golden import CaseErrors, load_cases
from goldspan.golden.case import Case
from goldspan.golden.promotion import case_from_trace, promote
from goldspan.golden.proposal import answer_anchors
from goldspan.golden.queries import names, sql
from goldspan.golden.writing import append_case, case_yaml
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.approvals import Approver, NamedApprover
from goldspan.harness.run import run_agent
from goldspan.tracing.errors import InputError
from goldspan.tracing.instrument import instrument
from goldspan.tracing.store import Store

LOOK = act("look", what="a")
FAILS = act("look", what="b")
WRITE = act("write", text="hello")
PROSE = act("write", text="some words of prose here")
ANSWER = act("answer", text="it is done")


def recorded(
    tmp_path: Path, texts: list[str], approver: Approver | None = None
) -> tuple[Store, str]:
    """A real run of the harness, with what the model says given; its store and trace."""
    version = AgentVersion.load(write_version(tmp_path / "keeper" / "v1.0.0"))
    path = tmp_path / "s.duckdb"
    with instrument(store=path, service_name="test") as telemetry:
        result = asyncio.run(
            run_agent(
                version,
                "Keep a note: l'été!",
                model=ScriptedModel(texts),
                recorder=telemetry.recorder,
                workspace=tmp_path / "work",
                environment=Notebook(),
                run_id="run-1",
                approver=approver or NamedApprover("none"),
            )
        )
    return Store.open(path), result.trace_id


def case_like(name: str = "one", **more: Any) -> Case:
    return Case.model_validate({"id": name, "input": "x", "expect": {}, **more})


def test_what_the_trace_did_is_proposed(tmp_path: Path) -> None:
    store, trace_id = recorded(tmp_path, [LOOK, FAILS, ANSWER])
    case = case_from_trace(store, trace_id[:10])
    assert case.review
    assert case.id == f"keep-a-note-l-ete-{trace_id[:8]}"
    assert case.input == "Keep a note: l'été!"
    assert case.expect.model_dump(exclude_defaults=True) == {
        "tools": {"order": ("look",)},
        "arguments": ({"tool": "look", "where": {"what": "a"}},),
        "bounds": {"max_tool_calls": 3, "max_llm_calls": 4},
    }
    assert case.now is not None
    assert abs((datetime.now(UTC) - case.now).total_seconds()) < 60
    kept = case.provenance
    assert (kept["trace_id"], kept["run_id"]) == (trace_id, "run-1")
    assert (kept["agent"], kept["agent_version"]) == ("keeper", "v1.0.0")
    assert kept["answer"] == "it is done"
    assert kept["recorded_at"] <= kept["promoted_at"]


def test_a_pause_is_proposed_with_the_call_that_waits(tmp_path: Path) -> None:
    store, trace_id = recorded(tmp_path, [LOOK, WRITE, ANSWER])
    case = case_from_trace(store, trace_id)
    assert case.expect.outcomes == ("paused",)
    assert case.approver == "none"
    assert case.expect.tools is not None
    assert case.expect.tools.order == ("look", "write")
    assert [e.where for e in case.expect.arguments] == [{"what": "a"}, {"text": "hello"}]


@pytest.mark.parametrize(
    ("approver", "expected"),
    [
        (NamedApprover("approve"), ("approve", {})),
        (NamedApprover("deny"), ("deny", {})),
        (NamedApprover("edit", {"text": "better"}), ("edit", {"text": "better"})),
    ],
)
def test_the_approver_decides_as_the_person_did(
    tmp_path: Path, approver: NamedApprover, expected: tuple[str, dict[str, str]]
) -> None:
    store, trace_id = recorded(tmp_path, [WRITE, ANSWER], approver)
    case = case_from_trace(store, trace_id)
    assert (case.approver, case.approver_edit) == expected
    assert case.expect.tools is not None
    assert case.expect.tools.order == ("write",)


def test_free_text_is_no_expectation(tmp_path: Path) -> None:
    long = act("write", text="many words " * 20)
    store, trace_id = recorded(tmp_path, [long, ANSWER], NamedApprover("approve"))
    assert case_from_trace(store, trace_id).expect.arguments == ()


def test_what_was_written_is_proposed_as_effects(tmp_path: Path) -> None:
    store, trace_id = recorded(tmp_path, [LOOK, WRITE, PROSE, ANSWER], NamedApprover("approve"))
    expect = case_from_trace(store, trace_id).expect.model_dump(mode="json", exclude_defaults=True)
    assert expect["tools"] == {"order": ["look", "write", "write"]}
    assert expect["arguments"] == [{"tool": "look", "where": {"what": "a"}}]
    assert expect["effects"] == [
        {"tool": "write", "arguments": {"text": "hello"}},
        {"tool": "write", "arguments": {"text": {"regex": r"\S"}}},
    ]
    assert expect["effect_tools"] == ["write"]
    assert "forbidden" not in expect["tools"]


def test_of_the_answer_is_proposed_what_a_tool_had_said(tmp_path: Path) -> None:
    said = act("answer", text="It is note-0.txt, worth 12345 francs.")
    store, trace_id = recorded(tmp_path, [WRITE, said], NamedApprover("approve"))
    answer = case_from_trace(store, trace_id).expect.answer
    assert answer is not None
    assert answer.contains == ("note-0.txt",)


@pytest.mark.parametrize(
    ("answer", "results", "anchors"),
    [
        ("INV-1003 costs 49.50 USD.", ['{"id": "INV-1003", "usd": 49.50}'], ["INV-1003", "49.50"]),
        ("About 7 of them, in 2026", ["7 in 2026"], ["2026"]),
        ("INV-1003", ["INV-10034"], []),
        ("nothing here", [None, "nothing here"], []),
        (" ".join(f"A-{n}0" for n in range(9)), [" ".join(f"A-{n}0" for n in range(9))], 5),
    ],
)
def test_anchors_are_whole_words_with_a_digit(
    answer: str, results: list[Any], anchors: Any
) -> None:
    found = answer_anchors(answer, results)
    assert (len(found) if isinstance(anchors, int) else found) == anchors


def test_promote_adds_to_a_file(tmp_path: Path) -> None:
    store, trace_id = recorded(tmp_path, [ANSWER])
    case = promote(store, trace_id, tmp_path / "new.yaml")
    assert load_cases([tmp_path / "new.yaml"]).cases == [case]


def test_no_such_trace_names_the_newest(tmp_path: Path) -> None:
    store, trace_id = recorded(tmp_path, [ANSWER])
    for wrong in ("ffff", "", "  ", "%"):
        with pytest.raises(InputError, match="no trace") as caught:
            case_from_trace(store, wrong)
        assert trace_id in str(caught.value)
        assert "\n" not in str(caught.value)


def test_every_query_asks_one_question() -> None:
    for name in names():
        assert sql(name).splitlines()[0].endswith("?")


def test_a_file_grows_and_nothing_in_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "cases.yaml"
    append_case(path, case_like("one"))
    first = path.read_text()
    append_case(path, case_like("two", tags=["é"], review=True))
    assert path.read_text().startswith(first)
    assert [case.id for case in load_cases([path]).cases] == ["one", "two"]
    assert "then remove `review`" in path.read_text()
    with pytest.raises(InputError, match="'two' is taken"):
        append_case(path, case_like("two"))


@pytest.mark.parametrize(
    "text",
    [
        "cases:\n- {id: zero, input: x, expect: {}}",
        "# ours\ncases:\n    - id: zero\n      input: |\n        text\n      expect: {}\n  # end\n",
        "cases:\r\n- {id: zero, input: x, expect: {}}\r\n",
    ],
)
def test_any_block_layout_is_kept(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(text.encode())
    before = load_cases([path]).cases
    append_case(path, case_like("new"))
    assert path.read_bytes().startswith(text.encode())
    assert load_cases([path]).cases == [*before, case_like("new")]


@pytest.mark.parametrize(
    "text",
    [
        "cases: [{id: zero, input: x, expect: {}}]\n",
        "cases:\n- {id: zero, input: x, expect: {}}\n...\n",
        "cases:\n- id: zero\n  expect: {}\n  input: |+\n    text\n\n",
    ],
)
def test_what_cannot_be_added_to_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match="cannot be added at the end"):
        append_case(path, case_like("new"))
    assert path.read_text() == text


def test_a_faulty_file_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("cases:\n  - id: one\n")
    with pytest.raises(CaseErrors, match="input: is missing"):
        append_case(path, case_like("new"))
    assert path.read_text() == "cases:\n  - id: one\n"


def test_json_lines_grow_by_a_line(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    append_case(path, case_like("one"))
    append_case(path, case_like("two", input="\u2028 a\nb"))
    assert len(path.read_text().strip().split("\n")) == 2
    assert [case.id for case in load_cases([path]).cases] == ["one", "two"]


def test_a_path_below_a_file_and_a_folder_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="a folder of its path is a regular file"):
        append_case(tmp_path / "file" / "c.yaml", case_like())
    with pytest.raises(InputError, match="is a folder"):
        append_case(tmp_path, case_like())


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    append_case(path, case_like("one", description="x" * 200))
    before = path.read_bytes()
    program = (
        "import resource, signal, sys, pathlib\n"
        "from goldspan.golden.case import Case\n"
        "from goldspan.golden.writing import append_case\n"
        "from goldspan.tracing.errors import InputError\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({len(before) + 100}, {len(before) + 100}))\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "case = Case(id='two', input='y' * 4000, expect={})\n"
        "try: append_case(pathlib.Path(sys.argv[1]), case)\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert "cannot be written: File too large" in done.stdout
    assert path.read_bytes() == before


def test_text_of_a_case_reads_back_as_it(tmp_path: Path) -> None:
    case = case_like(
        input=" a: b\n\t#c\x85\u2028'\"",
        setup={"on": True, "1": "1", "date": "2026-01-01", "none": None, "n": 1.5},
        now="2026-11-17T10:00:00+01:00",
    )
    path = tmp_path / "c.yaml"
    path.write_text("cases:\n" + case_yaml(case))
    (again,) = load_cases([path]).cases
    assert again == case
    assert again.digest == case.digest
    assert json.loads(again.model_dump_json())["now"] == "2026-11-17T09:00:00Z"
