"""A capability for pydantic-ai agents: every tool and model call held to a policy."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel, ConfigDict, create_model
from pydantic_ai.capabilities import AbstractCapability, WrapToolExecuteHandler
from pydantic_ai.exceptions import (
    ApprovalRequired,
    CallDeferred,
    ModelRetry,
    SkipToolExecution,
    ToolFailed,
    ToolFailedError,
    ToolRetryError,
)
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    ToolCallPart,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import RunContext, ToolDefinition

from goldspan.harness.models.messages import ModelRequest
from goldspan.harness.tools import ActionClass, Tool, ToolError
from goldspan.harness.wrap.guarded_run import GuardedRun
from goldspan.harness.wrap.tools import Policy, made_elsewhere

# What a tool says to its framework by an exception; no failure of the tool.
FLOW = (
    ApprovalRequired,
    CallDeferred,
    ModelRetry,
    SkipToolExecution,
    ToolFailed,
    ToolFailedError,
    ToolRetryError,
)


@dataclass
class Guarded(AbstractCapability[Any]):
    """`Agent(..., capabilities=[Guarded(policy)])`: no tool needs to be wrapped.

    A tool's action class and whether it needs approval come from its metadata
    (`action_class`, `needs_approval`) and from the policy; one that says nothing acts. Of a call
    that is denied or fails the model is told; `Ended` leaves the agent's run. The agent is to be
    run inside `with policy.run():`.
    """

    policy: Policy

    async def wrap_tool_execute(
        self,
        ctx: RunContext[Any],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, Any],
        handler: WrapToolExecuteHandler,
    ) -> Any:
        """Judge one tool call, make it, and look at its result."""
        run = self.policy.current()
        tool = self._tool(tool_def)
        asked = replace(self.policy.numbered(tool.name, args), id=call.tool_call_id)

        async def make(arguments: Any) -> Any:
            try:
                return await handler(args if arguments is asked.arguments else arguments)
            except FLOW as flow:
                raise _Flow(flow) from flow

        try:
            return await run.call(asked, tool, make)
        except _Flow as signal:
            raise signal.flow from None
        except ToolError as error:
            raise ToolFailed(str(error)) from error

    def get_wrapper_model(self, model: Model) -> Model | None:
        """The model, with each request reserved before and settled after it."""
        return _Budgeted(model, self.policy)

    async def prepare_tools(
        self, ctx: RunContext[Any], tool_defs: list[ToolDefinition]
    ) -> list[ToolDefinition]:
        """Learn the tools before the first request: a rule about none of them is an error."""
        for definition in tool_defs:
            self._tool(definition)
        return tool_defs

    def _tool(self, definition: ToolDefinition) -> Tool:
        known = self.policy.tools.get(definition.name)
        if known is not None:
            return known
        said = definition.metadata or {}
        action: ActionClass = said.get("action_class", "act")
        properties = definition.parameters_json_schema.get("properties", {})
        fields: dict[str, Any] = dict.fromkeys(properties, (Any, None))
        model: type[BaseModel] = create_model(
            "Arguments", __config__=ConfigDict(extra="allow"), **fields
        )
        tool = Tool(definition.name, definition.description or "", model, made_elsewhere, action)
        self.policy.tools[tool.name] = tool
        if said.get("needs_approval"):
            self.policy.approvals.add(tool.name)
        return tool


class _Flow(ToolError):
    def __init__(self, flow: Exception) -> None:
        super().__init__(str(flow), error_type=type(flow).__name__)
        self.flow = flow


@dataclass(init=False)
class _Budgeted(WrapperModel):
    """A model whose requests count against the current run's budgets."""

    policy: Policy

    def __init__(self, wrapped: Model, policy: Policy) -> None:
        super().__init__(wrapped)
        self.policy = policy

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        run = self.policy.current()
        key, settings = self._admit(run, messages, model_settings, model_request_parameters)
        response = await super().request(messages, settings, model_request_parameters)
        self._settle(run, key, response)
        return response

    @asynccontextmanager
    async def request_stream(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
        run_context: RunContext[Any] | None = None,
    ) -> AsyncGenerator[StreamedResponse]:
        run = self.policy.current()
        key, settings = self._admit(run, messages, model_settings, model_request_parameters)
        async with super().request_stream(
            messages, settings, model_request_parameters, run_context
        ) as stream:
            yield stream
        self._settle(run, key, stream.get())

    def _admit(
        self,
        run: GuardedRun,
        messages: list[ModelMessage],
        settings: ModelSettings | None,
        parameters: ModelRequestParameters,
    ) -> tuple[str, ModelSettings]:
        """The key to settle by, and the settings with the answer no longer than was reserved."""
        tools = [*parameters.function_tools, *parameters.output_tools]
        request = ModelRequest(
            provider=self.system,
            model=self.model_name,
            system="\n".join(part.content for part in parameters.instruction_parts or ()),
            messages=ModelMessagesTypeAdapter.dump_python(messages, mode="json"),
            settings={"max_tokens": (settings or {}).get("max_tokens")},
            tools=[
                {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters_json_schema,
                }
                for tool in tools
            ],
        )
        key = run.admit_model(request)
        return key, {**(settings or {}), "max_tokens": run.budget.answer_tokens}

    def _settle(self, run: GuardedRun, key: str, response: ModelResponse) -> None:
        used = response.usage
        price = self.policy.prices.of_call(
            provider=response.provider_name or self.system,
            models=(response.model_name, self.model_name),
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            cached_input_tokens=used.cache_read_tokens,
            cache_write_tokens=used.cache_write_tokens,
        )
        usd = None if price is None else price.usd
        run.settle_model(key, used.input_tokens, used.output_tokens, usd)
