"""Provider names by the conventions' registry."""

from __future__ import annotations

from typing import Any

import pytest

from goldspan.tracing.dialects.providers import provider_of, split_model


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (("openai",), "openai"),
        (("OpenAI",), "openai"),
        (("openai.responses",), "openai"),
        (("google.vertex.chat",), "gcp.vertex_ai"),
        (("google.generative-ai",), "gcp.gemini"),
        (("azure", "openai"), "azure.ai.openai"),
        (("vertex_ai",), "gcp.vertex_ai"),
        (("bedrock_converse",), "aws.bedrock"),
        (("mistralai",), "mistral_ai"),
        (("xai.chat",), "x_ai"),
        (("langchain", "anthropic"), "anthropic"),
        (("langchain", None, 5, ""), None),
        (("Brand New",), "brand new"),
    ],
)
def test_names(stated: tuple[Any, ...], expected: str | None) -> None:
    assert provider_of(*stated) == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("openai/gpt-4o", ("openai", "gpt-4o")),
        ("openrouter/openai/gpt-4o", ("openrouter", "openai/gpt-4o")),
        ("meta-llama/Llama-3", (None, "meta-llama/Llama-3")),
        ("gpt-4o", (None, "gpt-4o")),
        (None, (None, None)),
    ],
)
def test_models_with_a_provider(model: str | None, expected: tuple[str | None, ...]) -> None:
    assert split_model(model) == expected
