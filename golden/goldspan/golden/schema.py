"""The JSON Schema of golden cases, for editors and for programs that write cases."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from pydantic.json_schema import models_json_schema

from goldspan.golden.case import Case

FILE = "case.schema.json"


def generated_schema() -> dict[str, Any]:
    """The schema made from the model: of a file with `cases:`, else of one case (a JSON line)."""
    _, made = models_json_schema([(Case, "validation")], ref_template="#/$defs/{model}")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Goldspan golden cases",
        "description": "A YAML file with a list under `cases:`, or one case of a JSON lines file.",
        "if": {"type": "object", "required": ["cases"]},
        "then": {
            "properties": {
                "cases": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Case"}}
            },
            "additionalProperties": False,
        },
        "else": {"$ref": "#/$defs/Case"},
        "$defs": made["$defs"],
    }


def case_schema() -> dict[str, Any]:
    """The schema as it is shipped: the package's `case.schema.json`."""
    text = (files("goldspan.golden") / FILE).read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def schema_text() -> str:
    """What `case.schema.json` must hold. A test compares; `python -m goldspan.golden.schema` prints
    it after a change of the format."""
    return json.dumps(generated_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
