"""Live models, over real HTTP on loopback: a server that speaks OpenAI's chat protocol."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

from goldspan.harness.agents.version import AgentConfig, AgentVersion
from goldspan.harness.approvals import NamedApprover
from goldspan.harness.models.gateway import ModelChoice
from goldspan.harness.models.live import LiveModel
from goldspan.harness.models.messages import ModelRequest, text_message
from goldspan.harness.result import RunResult
from goldspan.harness.run import run_agent
from goldspan.tracing.errors import ConfigError, MeasurementError
from goldspan.tracing.instrument import instrument
from tests.harness.scripted import Notebook, act, write_version

T = TypeVar("T")
USAGE = {
    "prompt_tokens": 100,
    "completion_tokens": 20,
    "total_tokens": 120,
    "prompt_tokens_details": {"cached_tokens": 60},
}


@dataclass
class Server:
    url: str
    replies: list[dict[str, Any]] = field(default_factory=list)
    seen: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.seen.append(body)
            answer = {
                "id": f"chatcmpl-{len(state.seen)}",
                "object": "chat.completion",
                "created": 1,
                "model": "/models/tiny-q4.gguf",
                "choices": [
                    {
                        "index": 0,
                        "finish_reason": "stop",
                        "message": {"role": "assistant", **state.replies[len(state.seen) - 1]},
                    }
                ]
                if state.status == 200
                else [],
                "usage": USAGE,
            }
            data = json.dumps(answer).encode()
            self.send_response(state.status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    yield state
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def run(tmp_path: Path, server: Server, mode: str) -> RunResult:
    version = AgentVersion.load(write_version(tmp_path / "keeper" / "v1.0.0", mode=mode))
    model = LiveModel.make("tiny", base_url=server.url)
    with instrument(store=tmp_path / "s.duckdb") as telemetry:
        task = run_agent(
            version,
            "keep a note",
            model=model,
            recorder=telemetry.recorder,
            workspace=tmp_path / "work",
            environment=Notebook(),
            approver=NamedApprover("approve"),
            sampling_seed=7,
        )
        return closing(model, task)


def closing(model: LiveModel, work: Coroutine[Any, Any, T]) -> T:
    """The result of some work with a model that is closed after it."""

    async def both() -> T:
        async with aclosing(model):
            return await work

    return asyncio.run(both())


def test_json_mode_binds_the_answer_to_the_schema(tmp_path: Path, server: Server) -> None:
    server.replies = [
        {"content": act("write", text="hello")},
        {"content": act("answer", text="written")},
    ]
    result = run(tmp_path, server, "json")
    assert (result.outcome, result.answer) == ("completed", "written")
    assert result.end_state == {"note-0.txt": "hello"}
    assert (result.usage.input_tokens, result.usage.output_tokens) == (200, 40)
    first = server.seen[0]
    assert first["response_format"]["type"] == "json_schema"
    actions = first["response_format"]["json_schema"]["schema"]["anyOf"]
    assert [a["properties"]["action"]["const"] for a in actions] == ["look", "write", "answer"]
    assert first["seed"] == 7
    assert "- write(text): Write a note." in first["messages"][0]["content"]


def test_native_mode_calls_tools_and_returns_their_results(tmp_path: Path, server: Server) -> None:
    call = {
        "id": "call_provider_xyz",
        "type": "function",
        "function": {"name": "write", "arguments": '{"text": "hello"}'},
    }
    server.replies = [{"content": None, "tool_calls": [call]}, {"content": "written"}]
    result = run(tmp_path, server, "native")
    assert (result.answer, result.end_state) == ("written", {"note-0.txt": "hello"})
    assert [t["function"]["name"] for t in server.seen[0]["tools"]] == ["look", "write"]
    told = server.seen[1]["messages"][-1]
    assert (told["role"], told["tool_call_id"]) == ("tool", "call_1")
    assert json.loads(told["content"]) == {"wrote": "note-0.txt"}


REQUEST = ModelRequest("local", "tiny", "be brief", [text_message("user", "hello")])


def test_a_local_path_as_the_models_name_is_not_kept(server: Server) -> None:
    server.replies = [{"content": "hi"}]
    model = LiveModel.make("tiny", base_url=server.url)
    answer = closing(model, model.answer(REQUEST))
    assert answer.response_model == "tiny-q4"
    assert answer.cached_input_tokens == 60
    assert answer.duration_ms > 0


def test_no_answer_is_no_measurement(server: Server) -> None:
    server.status = 400
    server.replies = [{}]
    model = LiveModel.make("tiny", base_url=server.url)
    with pytest.raises(MeasurementError, match="the model did not answer"):
        closing(model, model.answer(REQUEST))


@pytest.mark.parametrize(
    ("name", "base_url", "said"),
    [
        ("openai:gpt-5.2", None, r"model openai:gpt-5\.2: OPENAI_API_KEY is not set"),
        ("groq:llama", None, r"its provider is not installed \(pip install '.*groq"),
        ("tiny", "localhost:8080", "--base-url localhost:8080: is no address"),
    ],
)
def test_what_is_missing_for_a_model_is_told(
    name: str, base_url: str | None, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setitem(sys.modules, "groq", None)
    with pytest.raises(ConfigError, match=said):
        LiveModel.make(name, base_url=base_url)


@pytest.mark.parametrize(
    ("provider", "model", "named", "base_url", "asked", "recorded"),
    [
        ("openai", "gpt-5.2", None, None, "openai:gpt-5.2", ("openai", "gpt-5.2")),
        ("openai", "gpt-5.2", "gpt-6", None, "openai:gpt-6", ("openai", "gpt-6")),
        ("openai", "gpt-5.2", "anthropic:c", None, "anthropic:c", ("anthropic", "c")),
        ("openai", "openai:gpt-5.2", None, None, "openai:gpt-5.2", ("openai", "openai:gpt-5.2")),
        ("bedrock", "nova:0", None, None, "bedrock:nova:0", ("bedrock", "nova:0")),
        ("openai", "x", "bedrock:nova:0", None, "bedrock:nova:0", ("bedrock", "nova:0")),
        ("local", "qwen", None, "http://h/v1", "qwen", ("local", "qwen")),
        ("openai", "gpt-5.2", None, "http://h/v1", "gpt-5.2", ("openai", "gpt-5.2")),
        ("local", "qwen", "openai:tiny", "http://h/v1", "tiny", ("openai", "tiny")),
        ("local", "qwen", "llama3:8b", "http://h/v1", "llama3:8b", ("local", "llama3:8b")),
        ("local", "qwen", None, None, "qwen", ("local", "qwen")),
    ],
)
def test_what_a_version_leaves_open_and_what_a_caller_names_make_one_model(
    provider: str,
    model: str,
    named: str | None,
    base_url: str | None,
    asked: str,
    recorded: tuple[str, str],
) -> None:
    config = AgentConfig(model=model, provider=provider, environment="x:Y")
    choice = ModelChoice.of(config, named, base_url=base_url)
    assert choice.address(base_url) == asked
    assert (choice.provider, choice.name) == recorded


def test_a_local_model_is_not_looked_for_elsewhere() -> None:
    with pytest.raises(ConfigError, match=r"model qwen: .*--base-url URL of its server"):
        LiveModel.make("qwen")


@pytest.mark.parametrize("name", ["gpt-nothing", "nobody:model", None])
def test_an_unknown_model_is_told(name: str | None) -> None:
    with pytest.raises(ConfigError, match="provider:name"):
        LiveModel.make(name)
