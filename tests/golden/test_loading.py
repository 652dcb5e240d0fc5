"""Golden cases: what loads, what is told of what does not, and what a case's identity is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from goldspan.golden import (
    Case,
    CaseErrors,
    bundled_suite,
    check_tools,
    load_cases,
    unknown_tools,
)
from goldspan.tracing.errors import InputError

MINIMAL = {"id": "one", "input": "hello", "expect": {}}


def write(folder: Path, text: str, name: str = "cases.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def faults(path: Path) -> list[str]:
    with pytest.raises(CaseErrors) as caught:
        load_cases([path])
    return [str(fault).replace(str(path), path.name) for fault in caught.value.faults]


def test_yaml_and_json_lines_give_the_same_cases(tmp_path: Path) -> None:
    rows = [{**MINIMAL, "id": name, "tags": [name]} for name in ("one", "two")]
    as_yaml = write(tmp_path, yaml.safe_dump({"cases": rows}))
    as_lines = write(tmp_path, "\n\n".join(map(json.dumps, rows)), "cases.jsonl")
    assert load_cases([as_yaml]).cases == load_cases([as_lines]).cases
    assert load_cases([as_yaml]).digest == load_cases([as_lines]).digest


def test_every_fault_is_told_with_its_line_and_what_was_meant(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "cases:\n"
        "  - id: one\n"
        "    input: hello\n"
        "    expect:\n"
        "      tools: {requried: [a]}\n"
        "      outcome: finished\n"
        "  - id: Two!\n"
        "    inptu: hello\n"
        "    expect: {answer: {regex: ['(']}}\n"
        "  - id: three\n"
        "    input: x\n"
        "    expect: {}\n"
        "    approver: maybe\n"
        "  - id: three\n"
        "    input: y\n"
        "    expect: {}\n",
    )
    told = faults(path)
    said = "\n".join(told)
    assert "cases.yaml:5: one: expect.tools.requried" in said
    assert "did you mean 'required'?" in said
    assert "cases.yaml:6: one: expect.outcome" in said
    assert "cases.yaml:7: Two!: id: String should match" in said
    assert (
        "cases.yaml:8: Two!: inptu: Extra inputs are not permitted (did you mean 'input'?)" in said
    )
    assert (
        "cases.yaml:9: Two!: expect.answer.regex.0: Value error, not a regular expression" in said
    )
    assert "cases.yaml:13: three: approver: Input should be 'approve', 'deny', 'edit'" in said


def test_an_id_twice_names_both_places(tmp_path: Path) -> None:
    case = "  - {id: one, input: x, expect: {}}\n"
    path = write(tmp_path, "cases:\n" + case + case)
    assert faults(path) == [
        "cases.yaml:3: id: 'one' is there twice, first at cases.yaml:2",
    ]


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        ("cases: [\n", "c.yaml", "c.yaml:2: not YAML"),
        ("- 1\n", "c.yaml", "c.yaml:1: must have one key, cases:"),
        ('{"id": "a"\n', "c.jsonl", "c.jsonl:1: not JSON"),
        (
            '{"id": "a", "input": "x", "expect": {}}\n7\n',
            "c.jsonl",
            "c.jsonl:2: case: Input should",
        ),
        ("", "c.jsonl", ":1: no cases"),
    ],
)
def test_what_is_no_file_of_cases(tmp_path: Path, text: str, name: str, said: str) -> None:
    assert said in faults(write(tmp_path, text, name))[0]


def test_not_text_and_not_there(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"cases:\n  - id: \xff\n")
    assert faults(path) == ["c.yaml:2: not UTF-8 text"]
    assert "no such file of cases" in faults(tmp_path / "none.yaml")[0]


def test_unknown_tools_are_named_where_they_stand(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "cases:\n  - id: one\n    input: x\n    expect:\n"
        "      tools: {order: [look, wirte]}\n      arguments:\n"
        "        - {tool: lok, where: {a: 1}}\n",
    )
    case_set = load_cases([path])
    told = [f"{fault.line} {fault.message}" for fault in unknown_tools(case_set, ["look", "write"])]
    assert told == [
        "5 one: unknown tool 'wirte' (did you mean 'write'?)",
        "7 one: unknown tool 'lok' (did you mean 'look'?)",
    ]
    with pytest.raises(CaseErrors, match="and 1 more faults"):
        check_tools(case_set, ["look", "write"])


def test_selection_by_id_and_tag(tmp_path: Path) -> None:
    rows = [{**MINIMAL, "id": n, "tags": [t]} for n, t in (("a", "edge"), ("b", "happy"))]
    case_set = load_cases([write(tmp_path, yaml.safe_dump({"cases": rows}))])
    assert [c.id for c in case_set.select(tags=["edge"])] == ["a"]
    assert [c.id for c in case_set.select(ids=["b"])] == ["b"]
    with pytest.raises(InputError, match="no case 'c'"):
        case_set.select(ids=["c"])


def test_the_bundled_suite_is_valid_and_tagged() -> None:
    case_set = load_cases(["cases/*.yaml"], bundled_suite("support_desk"))
    assert len(case_set.cases) >= 24
    tags = {tag for case in case_set.cases for tag in case.tags}
    assert {"happy", "edge", "adversarial"} <= tags
    assert {case.approver for case in case_set.cases} >= {"approve", "deny", "none"}


texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1)
cases = st.fixed_dictionaries(
    {
        "id": st.from_regex(r"[a-z0-9][a-z0-9-]{0,20}", fullmatch=True),
        "input": texts,
        "expect": st.fixed_dictionaries(
            {"answer": st.fixed_dictionaries({"contains": st.lists(texts)})}
        ),
    },
    optional={
        "description": texts,
        "tags": st.lists(texts),
        "setup": st.dictionaries(texts, texts),
    },
)


@given(cases)
def test_a_digest_is_of_what_decides_and_not_of_how_it_is_written(row: dict[str, Any]) -> None:
    case = Case.model_validate(row)
    again = yaml.safe_load(yaml.safe_dump(row, sort_keys=True, default_flow_style=True))
    assert Case.model_validate(again).digest == case.digest
    assert Case.model_validate({**row, "description": "other", "tags": []}).digest == case.digest
    assert Case.model_validate({**row, "input": row["input"] + "!"}).digest != case.digest


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.integers() | texts,
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
            max_leaves=8,
        ).map(lambda value: yaml.safe_dump({"cases": [value]}).encode()),
    ),
    st.sampled_from([".yaml", ".jsonl"]),
)
def test_no_file_does_more_than_be_told_as_faulty(tmp_path: Path, body: bytes, suffix: str) -> None:
    path = tmp_path / f"any{suffix}"
    path.write_bytes(body)
    try:
        case_set = load_cases([path])
    except CaseErrors as error:
        told = error.faults
    else:
        told = []
        assert case_set.cases
    assert all(fault.line >= 1 and fault.message for fault in told)
