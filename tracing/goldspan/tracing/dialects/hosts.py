"""Who served a call, by the host that it went to: OpenAI's client library speaks to many."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

PROVIDERS: Final = {
    "openai.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "models.inference.ai.azure.com": "azure.ai.inference",
    "api.groq.com": "groq",
    "api.deepseek.com": "deepseek",
    "api.x.ai": "x_ai",
    "api.perplexity.ai": "perplexity",
    "api.mistral.ai": "mistral_ai",
    "api.anthropic.com": "anthropic",
    "api.cohere.com": "cohere",
    "api.cohere.ai": "cohere",
    "api.moonshot.ai": "moonshot_ai",
    "api.together.xyz": "together_ai",
    "api.together.ai": "together_ai",
    "api.fireworks.ai": "fireworks",
    "api.cerebras.ai": "cerebras",
    "openrouter.ai": "openrouter",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "amazonaws.com": "aws.bedrock",
}


def provider_at(address: str) -> str | None:
    """The provider whose host an address or a URL names; None if it is nobody's known one."""
    host = urlsplit(address).hostname if "://" in address else address.partition("/")[0]
    while host and "." in host:
        if (known := PROVIDERS.get(host)) is not None:
            return known
        host = host.partition(".")[2]
    return None
