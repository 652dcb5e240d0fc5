"""Who served a model, by the conventions' registry of provider names.

Source: https://opentelemetry.io/docs/specs/semconv/registry/attributes/gen-ai/.
"""

from __future__ import annotations

from typing import Any, Final

REGISTRY: Final = {
    "openai": "openai",
    "open_ai": "openai",
    "azure": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "az.ai.openai": "azure.ai.openai",
    "azure.ai.openai": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "az.ai.inference": "azure.ai.inference",
    "azure.ai.inference": "azure.ai.inference",
    "anthropic": "anthropic",
    "claude": "anthropic",
    "google": "gcp.gemini",
    "gemini": "gcp.gemini",
    "google_genai": "gcp.gemini",
    "google_ai_gemini": "gcp.gemini",
    "google.generative-ai": "gcp.gemini",
    "google-genai": "gcp.gemini",
    "googleai": "gcp.gemini",
    "gcp.gemini": "gcp.gemini",
    "gcp.gen_ai": "gcp.gen_ai",
    "vertexai": "gcp.vertex_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertex": "gcp.vertex_ai",
    "google_vertexai": "gcp.vertex_ai",
    "google_anthropic_vertex": "gcp.vertex_ai",
    "google-vertex": "gcp.vertex_ai",
    "google.vertex": "gcp.vertex_ai",
    "gcp.vertex_ai": "gcp.vertex_ai",
    "aws": "aws.bedrock",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "amazon_bedrock": "aws.bedrock",
    "amazon-bedrock": "aws.bedrock",
    "anthropic_bedrock": "aws.bedrock",
    "aws.bedrock": "aws.bedrock",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "mistral_ai": "mistral_ai",
    "groq": "groq",
    "deepseek": "deepseek",
    "xai": "x_ai",
    "x_ai": "x_ai",
    "x-ai": "x_ai",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "perplexity": "perplexity",
    "watsonx": "ibm.watsonx.ai",
    "ibm": "ibm.watsonx.ai",
    "ibm.watsonx.ai": "ibm.watsonx.ai",
    "moonshot": "moonshot_ai",
    "together": "together_ai",
    "together_ai": "together_ai",
    "togetherai": "together_ai",
    "fireworks": "fireworks",
    "fireworks_ai": "fireworks",
    "cerebras": "cerebras",
    "ollama": "ollama",
    "ollama_chat": "ollama",
    "openrouter": "openrouter",
    "huggingface": "huggingface",
    "hugging_face": "huggingface",
    "nvidia_nim": "nvidia",
    "databricks": "databricks",
    "replicate": "replicate",
    "hosted_vllm": "vllm",
    "vllm": "vllm",
}
# Frameworks and placeholders: they serve no model.
NOBODY: Final = frozenset(
    {
        "langchain", "langgraph", "langchain4j", "llama_index", "llamaindex", "llama-index",
        "litellm", "haystack", "dspy", "crewai", "autogen", "ag2", "smolagents", "agno",
        "instructor", "guardrails", "spring_ai", "semantic_kernel", "ruby_llm", "mastra", "nat",
        "strands", "pydantic_ai", "pydantic-ai", "openai_agents", "openai-agents", "vercel",
        "gateway", "unknown", "other", "custom", "none", "null", "default", "proxy", "onnx",
        "strands-agents", "strands_agents", "gcp.vertex.agent", "google_adk", "google-adk",
        "microsoft.agent_framework", "agent_framework", "microsoft.semantic_kernel",
        "semantic-kernel", "autogen-core", "autogen-agentchat", "browser_use", "mcp", "mem0",
        "letta", "julep", "controlflow", "dynamiq", "crawl4ai", "firecrawl",
    }
)  # fmt: skip


def provider_of(*stated: Any) -> str | None:
    """The registry's name of the first one stated that names a provider; others in lower case."""
    for value in stated:
        if not isinstance(value, str) or not value:
            continue
        name = value.strip().lower()
        if name in NOBODY:
            continue
        if (known := REGISTRY.get(name)) is not None:
            return known
        # The Vercel AI SDK adds the API: "openai.responses", "google.vertex.chat".
        head, _, rest = name.partition(".")
        if head in NOBODY:
            continue
        both = f"{head}.{rest.partition('.')[0]}"
        return REGISTRY.get(both) or REGISTRY.get(head) or name
    return None


def split_model(model: str | None) -> tuple[str | None, str | None]:
    """Provider and model of `openai/gpt-4o`; no provider where the first part is not one."""
    if model is None:
        return None, None
    head, slash, rest = model.partition("/")
    known = REGISTRY.get(head.lower()) if slash and rest else None
    return (known, rest) if known is not None else (None, model)
