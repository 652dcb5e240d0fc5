"""Variations by a model: what becomes a case, what is thrown away, and how it is replayed."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from goldspan.evals.synthesis import Synthesized, answer_schema, synthesize
from goldspan.golden import Case
from goldspan.harness.models.cassette import Cassette
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.tracing.errors import MeasurementError
from tests.harness.scripted import ScriptedModel

CASE = Case.model_validate(
    {
        "id": "refund",
        "input": "Refund INV-1 of customer C-1, who was charged twice.",
        "tags": ["happy", "billing"],
        "setup": {"ledger": 1},
        "expect": {"tools": {"required": ["refund"]}},
    }
)
KNOWN = Case.model_validate({"id": "other", "input": "Cancel my trip to Bern.", "expect": {}})
ANSWER = [
    {"input": "C-1 paid INV-1 two times; give one payment back.", "varied": "tone"},
    {"input": "Refund  INV-1 of customer C-1, who was charged twice!", "varied": "nothing"},
    {"input": "cancel my trip to  Bern", "varied": "another case"},
    {"input": "  ", "varied": "empty"},
    {"input": "I want money back for INV-1 at once, says C-1.", "varied": "hurry"},
    {"input": "One more than was asked for, about INV-1.", "varied": "x"},
]


def gateway(text: str) -> tuple[ModelGateway, ScriptedModel]:
    model = ScriptedModel([text])
    return ModelGateway(Mode.LIVE, None, model), model


def made(text: str, **options: Any) -> Synthesized:
    used, _ = gateway(text)
    return asyncio.run(
        synthesize(CASE, [CASE, KNOWN], gateway=used, model="local:m", count=5, **options)
    )


def test_variations_wait_for_review_with_model_and_prompt_in_their_provenance() -> None:
    found = made(json.dumps({"variations": ANSWER}))
    first, second = found.cases
    assert (found.duplicates, found.refused) == (2, 2)
    assert (first.id, second.id) == ("refund-v1", "refund-v1-2")
    assert first.review
    assert first.expect == CASE.expect
    assert (first.setup, first.tags) == (CASE.setup, CASE.tags)
    assert first.cluster == "refund"
    assert first.description == "variation of refund: tone"
    kept = first.provenance
    assert (kept["source"], kept["of"], kept["of_digest"]) == ("synthesized", "refund", CASE.digest)
    assert (kept["model"], kept["answered_as"]) == ("local:m", "m")
    assert CASE.input in kept["prompt"]
    assert len(kept["prompt_digest"]) == 64


def test_an_adversarial_variation_is_tagged_so() -> None:
    answer = json.dumps({"variations": ANSWER[:1]})
    assert made(answer, style="adversarial").cases[0].tags == ("billing", "adversarial")
    own = made(answer, style="Say it in French.").cases[0]
    assert own.tags == ("billing",)
    assert "Say it in French." in own.provenance["prompt"]


def test_the_answer_is_bound_by_a_schema() -> None:
    used, model = gateway(json.dumps({"variations": []}))
    asyncio.run(synthesize(CASE, [], gateway=used, model="m", count=2))
    (request,) = model.requests
    assert request.output_schema is not None
    jsonschema.Draft202012Validator.check_schema(request.output_schema)
    bound = jsonschema.Draft202012Validator(answer_schema(2))
    assert bound.is_valid({"variations": ANSWER[:2]})
    assert not bound.is_valid({"variations": ANSWER[:1]})
    assert not bound.is_valid({"variations": [{"input": "x"}] * 2})


@pytest.mark.parametrize("text", ["", "no", "{}", '{"variations": 1}', '{"variations": ["x"]}'])
def test_an_answer_that_is_not_as_asked_is_no_measurement(text: str) -> None:
    with pytest.raises(MeasurementError, match="is not the JSON that was asked for"):
        made(text)


def test_a_cassette_gives_the_same_again(tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    _, model = gateway(json.dumps({"variations": ANSWER}))
    record = ModelGateway(Mode.RECORD, Cassette.open(path, create=True), model)
    first = asyncio.run(synthesize(CASE, [KNOWN], gateway=record, model="m"))
    replay = ModelGateway.make(Mode.REPLAY, cassette=path)
    again = asyncio.run(synthesize(CASE, [KNOWN], gateway=replay, model="m"))
    assert [case.digest for case in again.cases] == [case.digest for case in first.cases]
    assert len(model.requests) == 1
    with pytest.raises(MeasurementError, match="no recorded answer"):
        asyncio.run(synthesize(CASE, [KNOWN], gateway=replay, model="m", style="edge"))
