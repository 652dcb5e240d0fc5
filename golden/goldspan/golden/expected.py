"""Checks of expected values when they are read, so that no scorer meets one it cannot use."""

from __future__ import annotations

import re
from collections.abc import Set
from typing import Annotated, Any, TypeAlias

import jsonschema
from pydantic import AfterValidator, Field

MATCHERS = frozenset({"regex", "contains", "min", "max", "any_of"})


def check_pattern(pattern: str) -> str:
    """A regular expression, as it came. Raises `ValueError` where Python cannot compile it."""
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return pattern


def check_expected(value: Any) -> Any:
    """An expected value, as it came: a matcher, or anything else, to be compared for equality.

    Raises `ValueError` for a matcher that can match nothing at all.
    """
    if not isinstance(value, dict) or not value or not set(value) <= MATCHERS:
        return value
    if "regex" in value:
        if not isinstance(value["regex"], str):
            raise ValueError("regex: should be a text")
        check_pattern(value["regex"])
    for bound in ("min", "max"):
        if bound in value and (isinstance(value[bound], bool) or not _is_number(value[bound])):
            raise ValueError(f"{bound}: should be a number")
    if "min" in value and "max" in value and value["min"] > value["max"]:
        raise ValueError("min is above max")
    if "any_of" in value:
        if not isinstance(value["any_of"], list) or not value["any_of"]:
            raise ValueError("any_of: should be a list of values")
        for each in value["any_of"]:
            check_expected(each)
    return value


def check_state_path(path: str) -> str:
    """A dotted path or `count(path)`, as it came. Raises `ValueError` for anything else."""
    inner = path[6:-1] if path.startswith("count(") and path.endswith(")") else path
    if not inner or "(" in inner or ")" in inner or not all(inner.split(".")):
        raise ValueError("should be a dotted path such as drafts.0.status, or count(path)")
    return path


def check_json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema (2020-12 unless it names another), as it came. Raises `ValueError`."""
    try:
        jsonschema.validators.validator_for(
            schema, default=jsonschema.Draft202012Validator
        ).check_schema(schema)
    except jsonschema.SchemaError as error:
        raise ValueError(f"not a JSON Schema: {error.json_path}: {error.message[:200]}") from None
    return schema


def check_tools_agree(wanted: Set[str], forbidden: Set[str], only: Set[str]) -> None:
    """Raises `ValueError` where no run at all could meet the expectation."""
    both = sorted(wanted & forbidden)
    if both:
        raise ValueError(f"{', '.join(both)}: wanted and forbidden at once")
    outside = sorted(wanted - only) if only else []
    if outside:
        raise ValueError(f"{', '.join(outside)}: wanted, but not among `only`")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


Pattern: TypeAlias = Annotated[str, AfterValidator(check_pattern)]
Expected: TypeAlias = Annotated[Any, AfterValidator(check_expected)]
StatePath: TypeAlias = Annotated[str, Field(min_length=1), AfterValidator(check_state_path)]
