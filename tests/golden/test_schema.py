"""The JSON Schema that is shipped, the model that loads cases, and the layers above agree."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from goldspan.evals.scorers.matching import MATCHERS as SCORERS_MATCHERS
from goldspan.golden import Case, bundled, case_schema, load_cases
from goldspan.golden.case import Limits
from goldspan.golden.expected import MATCHERS
from goldspan.golden.schema import FILE, schema_text
from goldspan.harness.contract import Contract

SCHEMA = jsonschema.Draft202012Validator(case_schema())
MINIMAL: dict[str, Any] = {"id": "one", "input": "hello", "expect": {}}


def allows(value: Any) -> bool:
    return bool(SCHEMA.is_valid(value))


def loads(value: Any) -> bool:
    try:
        Case.model_validate(value)
    except ValidationError:
        return False
    return True


def test_the_shipped_schema_is_the_model_s() -> None:
    shipped = (files("goldspan.golden") / FILE).read_text(encoding="utf-8")
    assert shipped == schema_text(), "run: python -m goldspan.golden.schema > …/case.schema.json"
    jsonschema.Draft202012Validator.check_schema(json.loads(shipped))


def test_it_is_of_a_file_and_of_one_case() -> None:
    assert allows(MINIMAL)
    assert allows({"cases": [MINIMAL]})
    assert not allows({"cases": [MINIMAL], "version": 1})
    assert not allows({"cases": []})
    assert not allows({"cases": [{**MINIMAL, "inptu": "x"}]})


def test_the_bundled_cases_are_as_the_schema_says() -> None:
    for case in load_cases(["cases/*.yaml"], bundled("support_desk")).cases:
        assert allows(case.model_dump(mode="json", exclude_defaults=True)), case.id


anything = st.sampled_from(
    [None, True, 0, 1, -1, 2.5, "", "a", "completed", [], ["a"], [["a"]], [1], {}, {"a": 1}]
)


def mapping(*keys: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from([*keys, "other"]), anything, max_size=3)


expects = st.fixed_dictionaries(
    {},
    optional={
        "outcome": anything,
        "tools": st.one_of(anything, mapping("required", "forbidden", "order", "any_of", "only")),
        "arguments": st.one_of(anything, st.lists(mapping("tool", "where"), max_size=2)),
        "answer": st.one_of(anything, mapping("contains", "contains_any", "excludes", "regex")),
        "end_state": st.one_of(anything, mapping("a.b", "count(a)")),
        "bounds": st.one_of(anything, mapping("max_tool_calls", "max_repeated_call")),
    },
)
rows = st.fixed_dictionaries(
    {"id": st.sampled_from(["one", "1-a", "One", "", "-a"]), "expect": expects},
    optional={
        "input": anything,
        "tags": anything,
        "setup": anything,
        "review": anything,
        "now": st.sampled_from(["2026-11-17T09:00:00Z", 5, True]),
        "contract": st.one_of(anything, mapping("max_tokens", "max_usd", "required_artifacts")),
    },
)


@given(rows)
def test_schema_and_model_agree(row: dict[str, Any]) -> None:
    # Beyond what a schema says, the model refuses what no run could meet.
    tools = row["expect"].get("tools")
    contradicts = isinstance(tools, dict) and len(set(tools) & {"forbidden", "only"}) > 0
    if loads(row):
        assert allows(row)
    elif not contradicts:
        assert not allows(row)


def test_limits_are_the_contract_s() -> None:
    limits = {name for name in Contract.model_fields if name.startswith("max_")}
    assert set(Limits.__annotations__) == limits | {"required_artifacts"}


def test_matchers_are_the_scorers() -> None:
    assert MATCHERS == SCORERS_MATCHERS


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("end_state", {"a": {"regex": "("}}, "not a regular expression"),
        ("end_state", {"a": {"regex": 1}}, "regex: should be a text"),
        ("end_state", {"a": {"min": "1"}}, "min: should be a number"),
        ("end_state", {"a": {"min": 2, "max": 1}}, "min is above max"),
        ("end_state", {"a": {"any_of": []}}, "any_of: should be a list"),
        ("end_state", {"a": {"any_of": [{"regex": "["}]}}, "not a regular expression"),
        ("end_state", {"a..b": 1}, "dotted path"),
        ("end_state", {"count(a": 1}, "dotted path"),
        ("answer", {"json_schema": {"type": "objekt"}}, "not a JSON Schema"),
        ("tools", {"required": ["a"], "forbidden": ["a"]}, "a: wanted and forbidden at once"),
        ("tools", {"order": ["a"], "only": ["b"]}, "a: wanted, but not among `only`"),
    ],
)
def test_what_no_run_could_meet_is_refused(field: str, value: Any, said: str) -> None:
    with pytest.raises(ValidationError, match=said.replace("(", r"\(")):
        Case.model_validate({**MINIMAL, "expect": {field: value}})


def test_an_edit_needs_its_arguments() -> None:
    with pytest.raises(ValidationError, match="go together"):
        Case.model_validate({**MINIMAL, "approver": "edit"})
    with pytest.raises(ValidationError, match="go together"):
        Case.model_validate({**MINIMAL, "approver": "approve", "approver_edit": {"a": 1}})
