"""Parts of a message in the conventions' form, from the content blocks of providers and frameworks.

The conventions know text, tool_call, tool_call_response, reasoning, blob, file and uri
(https://opentelemetry.io/docs/specs/semconv/gen-ai/). A block that nobody knows becomes a text
that holds its JSON, so that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from goldspan.tracing.decoding import decoded, valid_json
from goldspan.tracing.media_parts import media_part, modality_of

Part = dict[str, Any]
Block = Mapping[str, Any]
OWN_TYPES: Final = {
    "text": "content",
    "reasoning": "content",
    "tool_call": "arguments",
    "tool_call_response": "response",
    "blob": "content",
    "file": "file_id",
    "uri": "uri",
}  # the field which tells a part of the conventions from others' blocks of the same type


def parts_of(content: Any) -> list[Part]:
    """The parts of a message's content: text, one block, or a list of them."""
    if content is None or content == "":
        return []
    if isinstance(content, str):
        # Some emitters write the list of blocks as JSON.
        if content.startswith(("[{", '{"')) and _are_blocks(blocks := decoded(content)):
            return parts_of(blocks)
        return [text_part(content)]
    if isinstance(content, list | tuple):
        return [part for block in content for part in parts_of_block(block)]
    return parts_of_block(content)


def text_part(text: Any) -> Part:
    """A text part; what is no text stands in it as JSON."""
    return {"type": "text", "content": text if isinstance(text, str) else valid_json(text)}


def tool_call(call_id: Any, name: Any, arguments: Any) -> Part:
    """A call of a tool, its arguments as a JSON value."""
    part: Part = {"type": "tool_call"}
    if call_id:
        part["id"] = call_id
    return part | {"name": name, "arguments": decoded(arguments)}


def tool_response(call_id: Any, response: Any, name: Any = None) -> Part:
    """What a tool gave back."""
    part: Part = {"type": "tool_call_response"}
    if call_id:
        part["id"] = call_id
    if name:
        part["name"] = name
    return part | {"response": decoded(response)}


def parts_of_block(block: Any) -> list[Part]:
    """The parts of one content block of any provider."""
    if block is None or block == "":
        return []
    if not isinstance(block, Mapping):
        return [text_part(block)]
    return _known(block) or [text_part(block)]


def is_block(value: Any) -> bool:
    """Whether a structure is a content block, and not a message or anything else."""
    return isinstance(value, Mapping) and "role" not in value and bool(_known(value))


def _known(block: Block) -> list[Part]:
    if isinstance(inner := block.get("message_content"), Mapping):  # OpenInference
        block = inner
    stated = block.get("type") or block.get("part_kind") or block.get("kind")
    kind = stated.lower() if isinstance(stated, str) else ""
    if kind in OWN_TYPES and (OWN_TYPES[kind] in block or len(block) == 1):
        return [_own(block, kind)]  # content may have been left out
    reader = _BY_TYPE.get(kind)
    found = reader(block) if reader is not None else None
    if found is None:
        found = next((part for read in _UNTYPED if (part := read(block)) is not None), None)
    return [] if found is None else [found]


def _are_blocks(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(is_block(item) for item in value)
    return is_block(value) and "type" in value


def _own(block: Block, kind: str) -> Part:
    part = dict(block)
    part["type"] = kind
    if kind == "tool_call":
        part["arguments"] = decoded(part.get("arguments"))
    return part


def _first(block: Block, *names: str) -> Any:
    return next((block[n] for n in names if block.get(n) is not None), None)


def _text(block: Block) -> Part | None:
    text = _first(block, "text", "content", "refusal")
    if isinstance(text, Mapping):  # {"text": {"value": ...}} of OpenAI's assistants
        text = text.get("value", text)
    return None if text is None else text_part(text)


def _reasoning(block: Block) -> Part | None:
    said = _first(block, "thinking", "text", "reasoning", "content", "reasoningText", "summary")
    if isinstance(said, Mapping):
        said = said.get("text", said)
    if isinstance(said, list):
        texts = [s.get("text", "") if isinstance(s, Mapping) else str(s) for s in said]
        said = "\n".join(t for t in texts if isinstance(t, str))
    if said is None:
        # Encrypted: that it thought is all that can be known.
        hidden = _first(block, "data", "encrypted_content", "redactedContent", "signature")
        return None if hidden is None else {"type": "reasoning", "content": ""}
    return {"type": "reasoning", "content": said if isinstance(said, str) else valid_json(said)}


def _call(block: Block) -> Part | None:
    function = block.get("function")
    if isinstance(function, Mapping):
        name, given = function.get("name"), _first(function, "arguments", "args", "parameters")
    else:
        name = _first(block, "name", "toolName", "tool_name") or function
        given = _first(block, "arguments", "input", "args", "parameters", "action")
    if not isinstance(name, str):
        name = block.get("type")
        if not isinstance(name, str) or not name.endswith("_call"):
            return None
    call_id = _first(block, "call_id", "toolCallId", "tool_call_id", "toolUseId", "id", "ref")
    return tool_call(call_id, name, given)


def _response(block: Block) -> Part | None:
    call_id = _first(
        block, "tool_use_id", "toolUseId", "call_id", "tool_call_id", "toolCallId", "id", "ref"
    )
    name = _first(block, "toolName", "tool_name", "name")
    result = _first(block, "response", "result", "output", "content", "toolResult", "error")
    if isinstance(result, Mapping) and result.keys() == {"type", "value"}:  # Vercel
        result = result["value"]
    return tool_response(call_id, _plain_result(result), name)


def _plain_result(result: Any) -> Any:
    """The text of text blocks, the structure of a JSON block, else the result as it is."""
    if isinstance(result, list) and len(result) == 1 and isinstance(result[0], Mapping):
        only = result[0]
        if isinstance(only.get("text"), str):
            return only["text"]
        if "json" in only and len(only) == 1:
            return only["json"]
    return result


def _file(block: Block) -> Part | None:
    inner = block.get("file")
    data = {**block, **inner} if isinstance(inner, Mapping) else block
    return media_part(data, modality_of(data))


def _medium(modality: str) -> Callable[[Block], Part | None]:
    return lambda block: media_part(block, modality)


def _openai_call(block: Block) -> Part | None:
    inner = block.get("tool_call")
    if isinstance(inner, Mapping):  # OpenInference
        return _call(inner)
    return _call(block) if isinstance(block.get("function"), Mapping) else None


def _bedrock(block: Block) -> Part | None:
    if isinstance(call := block.get("toolUse"), Mapping):
        return _call(call)
    if isinstance(answer := block.get("toolResult"), Mapping):
        return _response(answer)
    if isinstance(said := block.get("reasoningContent"), Mapping):
        return _reasoning(said)
    for modality in ("image", "document", "video", "audio"):
        if isinstance(medium := block.get(modality), Mapping):
            return media_part(medium, modality)
    return None


def _genkit(block: Block) -> Part | None:
    if isinstance(call := block.get("toolRequest"), Mapping):
        return _call(call)
    if isinstance(answer := block.get("toolResponse"), Mapping):
        return _response(answer)
    medium = block.get("media")
    return media_part(medium, "image") if isinstance(medium, Mapping) else None


def _gemini(block: Block) -> Part | None:
    if isinstance(call := _first(block, "functionCall", "function_call"), Mapping):
        return _call(call)
    if isinstance(answer := _first(block, "functionResponse", "function_response"), Mapping):
        return _response(answer)
    for name in ("inlineData", "inline_data", "fileData", "file_data"):
        if isinstance(data := block.get(name), Mapping):
            return media_part(data, modality_of(data))
    text = block.get("text")
    if not isinstance(text, str) or not _says_only_text(block):
        return None
    return {"type": "reasoning", "content": text} if block.get("thought") else text_part(text)


def _says_only_text(block: Block) -> bool:
    return all(name in _BESIDE_TEXT or value is None for name, value in block.items())


_BESIDE_TEXT: Final = frozenset(
    {
        "text", "type", "thought", "thoughtSignature", "thought_signature", "cache_control",
        "cachePoint", "citations", "annotations", "index", "id", "part_metadata", "extras",
    }
)  # fmt: skip
_TEXTS: Final = (
    "text", "input_text", "output_text", "summary_text", "refusal", "user-prompt",
    "system-prompt", "plain_text", "markdown",
)  # fmt: skip
_THOUGHTS: Final = ("thinking", "redacted_thinking", "reasoning", "think", "reasoning_text")
_CALLS: Final = (
    "tool_use", "server_tool_use", "mcp_tool_use", "function_call", "function", "tool_call",
    "tool-call", "mcp_call", "builtin-tool-call", "custom_tool_call", "computer_call",
    "web_search_call", "file_search_call", "code_interpreter_call",
)  # fmt: skip
_RESPONSES: Final = (
    "tool_result", "tool-result", "function_call_output", "function_response", "tool-error",
    "tool_call_response", "tool-return", "builtin-tool-return", "retry-prompt", "tool_response",
    "custom_tool_call_output", "mcp_tool_result", "mcp_tool_use_result", "computer_call_output",
    "web_search_tool_result", "code_execution_tool_result",
)  # fmt: skip
_Reader = Callable[[Block], Part | None]
_BY_TYPE: Final[dict[str, _Reader]] = {
    **dict.fromkeys(_TEXTS, _text),
    **dict.fromkeys(_THOUGHTS, _reasoning),
    **dict.fromkeys(_CALLS, _call),
    **dict.fromkeys(_RESPONSES, _response),
    **dict.fromkeys(("image", "image_url", "input_image", "image-url"), _medium("image")),
    **dict.fromkeys(("audio", "input_audio", "audio_url", "audio-url"), _medium("audio")),
    **dict.fromkeys(("video", "video_url", "video-url"), _medium("video")),
    **dict.fromkeys(("document", "document_url", "document-url"), _medium("document")),
    **dict.fromkeys(("file", "input_file", "media", "binary"), _file),
}
_UNTYPED: Final[tuple[_Reader, ...]] = (_openai_call, _bedrock, _genkit, _gemini)
