"""Real models by pydantic-ai's direct model API: every provider, any OpenAI-compatible URL."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, cast

from pydantic_ai import messages as pai
from pydantic_ai.direct import model_request
from pydantic_ai.exceptions import AgentRunError, UserError
from pydantic_ai.models import Model, ModelRequestParameters, infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.output import OutputObjectDefinition
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from goldspan.harness.models.context import with_prompt_cache
from goldspan.harness.models.messages import Message, ModelAnswer, ModelRequest
from goldspan.tracing.errors import ConfigError, MeasurementError


@dataclass(frozen=True)
class LiveModel:
    """A model behind pydantic-ai's `Model`. It holds connections until `aclose`."""

    model: Model[Any]

    @classmethod
    def make(cls, name: str | None, *, base_url: str | None = None) -> LiveModel:
        """A model by `provider:name`, or by name at an OpenAI-compatible `base_url`.

        Keys come from the providers' own environment variables. Raises `ConfigError` for an
        unknown model or a missing key.
        """
        if name is None:
            raise ConfigError(
                "a live run needs a model", remedy="give --model provider:name, or --base-url URL"
            )
        if base_url is not None and not base_url.startswith(("http://", "https://")):
            raise ConfigError(
                "is no address of a server", where=f"--base-url {base_url}", remedy="http://HOST/v1"
            )
        try:
            if base_url is not None:
                key = os.environ.get("OPENAI_API_KEY", "none")
                provider = OpenAIProvider(base_url=base_url, api_key=key)
                return cls(OpenAIChatModel(name.removeprefix("openai:"), provider=provider))
            return cls(infer_model(name))
        except (UserError, ValueError, ImportError) as error:
            raise _unusable(name, error) from None

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        """Ask the model once. Raises `MeasurementError` where no answer comes."""
        started = time.perf_counter()
        try:
            response = await model_request(
                self.model,
                _to_provider(request),
                model_settings=_settings(request),
                model_request_parameters=_parameters(request),
            )
        except (AgentRunError, UserError, OSError) as error:
            raise MeasurementError(
                f"the model did not answer: {' '.join(str(error).split())[:300]}",
                where=request.model,
                remedy="check that the model's server runs and its key is set",
            ) from error
        return _answer(response, (time.perf_counter() - started) * 1000)

    async def aclose(self) -> None:
        """Close the provider's connections, in the event loop that they were used in."""
        async with self.model:  # the last to leave closes what its provider opened
            pass


def _settings(request: ModelRequest) -> ModelSettings:
    settings = dict(with_prompt_cache(request.settings))
    if request.answer_tokens is not None:
        settings.setdefault("max_tokens", request.answer_tokens)
    return cast(ModelSettings, settings)


def _unusable(name: str, error: Exception) -> ConfigError:
    """What is missing to use a model. The library's own words are long, and for its API's users."""
    text = " ".join(str(error).split())
    variable = re.search(r"`([A-Z][A-Z0-9_]+)`", text)
    package = re.search(r"pip install [\"']([^\"']+)", text)
    if isinstance(error, ImportError) and package:
        message, remedy = "its provider is not installed", f"pip install '{package[1]}'"
    elif variable:
        message, remedy = f"{variable[1]} is not set", "set it, or give --base-url URL"
    elif ":" not in name:
        message = "it is not said who serves it"
        remedy = "give --base-url URL of its server, or --model provider:name"
    elif text.startswith("Unknown"):
        message = "there is no such model"
        remedy = "use provider:name, such as openai:gpt-5.2, or give --base-url URL"
    else:
        message, remedy = text, "use provider:name, such as openai:gpt-5.2"
    return ConfigError(message, where=f"model {name}", remedy=remedy)


def _parameters(request: ModelRequest) -> ModelRequestParameters:
    if request.output_schema is not None:
        bound = OutputObjectDefinition(
            json_schema=request.output_schema, name="action", strict=False
        )
        return ModelRequestParameters(
            output_mode="native", output_object=bound, allow_text_output=True
        )
    tools = [
        ToolDefinition(
            name=t["name"], description=t["description"], parameters_json_schema=t["parameters"]
        )
        for t in request.tools
    ]
    return ModelRequestParameters(function_tools=tools, allow_text_output=True)


def _to_provider(request: ModelRequest) -> list[pai.ModelMessage]:
    out: list[pai.ModelMessage] = []
    first: list[pai.ModelRequestPart] = [pai.SystemPromptPart(request.system)]
    names: dict[str, str] = {}
    for message in request.messages:
        if message["role"] == "assistant":
            out.append(pai.ModelResponse(parts=_response_parts(message, names)))
        else:
            out.append(pai.ModelRequest(parts=[*first, *_request_parts(message, names)]))
            first = []
    return out


def _response_parts(message: Message, names: dict[str, str]) -> list[pai.ModelResponsePart]:
    parts: list[pai.ModelResponsePart] = []
    for part in message["parts"]:
        if part["type"] == "text":
            parts.append(pai.TextPart(part["content"]))
        elif part["type"] == "tool_call":
            names[part["id"]] = part["name"]
            parts.append(pai.ToolCallPart(part["name"], part["arguments"], tool_call_id=part["id"]))
    return parts


def _request_parts(message: Message, names: dict[str, str]) -> list[pai.ModelRequestPart]:
    parts: list[pai.ModelRequestPart] = []
    for part in message["parts"]:
        if part["type"] == "text":
            parts.append(pai.UserPromptPart(part["content"]))
        elif part["type"] == "tool_call_response":
            parts.append(
                pai.ToolReturnPart(
                    tool_name=names.get(part["id"], "tool"),
                    content=part["response"],
                    tool_call_id=part["id"],
                )
            )
    return parts


def _answer(response: pai.ModelResponse, duration_ms: float) -> ModelAnswer:
    parts: list[dict[str, Any]] = []
    for part in response.parts:
        if isinstance(part, pai.TextPart):
            parts.append({"type": "text", "content": part.content})
        elif isinstance(part, pai.ThinkingPart):
            parts.append({"type": "reasoning", "content": part.content})
        elif isinstance(part, pai.ToolCallPart):
            arguments = part.args if isinstance(part.args, str) else part.args_as_dict()
            parts.append({"type": "tool_call", "name": part.tool_name, "arguments": arguments})
    usage = response.usage
    reasoning = usage.details.get("reasoning_tokens") if usage.details else None
    known = bool(usage.input_tokens or usage.output_tokens)
    return ModelAnswer(
        message={"role": "assistant", "parts": parts},
        finish_reason=response.finish_reason,
        response_model=_model_name(response.model_name),
        response_id=response.provider_response_id,
        input_tokens=usage.input_tokens if known else None,
        output_tokens=usage.output_tokens if known else None,
        cached_input_tokens=usage.cache_read_tokens or None,
        cache_write_tokens=usage.cache_write_tokens or None,
        reasoning_tokens=reasoning or None,
        duration_ms=round(duration_ms, 1),
    )


def _model_name(name: str | None) -> str | None:
    """Local servers answer with the path of the weights: a file name is enough."""
    if name is not None and name.startswith(("/", "\\")):
        return PurePath(name).stem
    return name
