"""A model on loopback whose answers depend on what it is told, and an agent and suite for it."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], str]


@dataclass
class ChatServer:
    """OpenAI's chat and responses protocols; `answer` says what is answered to a request's body.

    `connections` are those that were made, `unclosed` those that the other side did not close.
    """

    url: str
    answer: Answer
    seen: list[dict[str, Any]] = field(default_factory=list)
    down: bool = False
    connections: int = 0
    closed: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def unclosed(self, within_s: float = 5.0) -> int:
        """How many of the connections nobody closes within so many seconds. Asked once."""
        end = time.monotonic() + within_s
        return sum(
            not self.closed.acquire(timeout=max(0.0, end - time.monotonic()))
            for _ in range(self.connections)
        )


def _completion(number: int, text: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-{number}",
        "object": "chat.completion",
        "created": 1,
        "model": "tiny",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": text},
            }
        ],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
    }


def _response(number: int, text: str) -> dict[str, Any]:
    return {
        "id": f"resp-{number}",
        "object": "response",
        "created_at": 1,
        "model": "tiny",
        "status": "completed",
        "output": [
            {
                "type": "message",
                "id": f"msg-{number}",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": text, "annotations": []}],
            }
        ],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 100,
            "output_tokens": 20,
            "total_tokens": 120,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


@contextmanager
def chatting(answer: Answer) -> Iterator[ChatServer]:
    """A server, ended with the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            state.connections += 1

        def finish(self) -> None:
            super().finish()
            state.closed.release()

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            state.seen.append(body)
            reply = _response if self.path.endswith("/responses") else _completion
            data = json.dumps(reply(len(state.seen), state.answer(body))).encode()
            self.send_response(400 if state.down else 200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.daemon_threads = True
    state = ChatServer(f"http://127.0.0.1:{httpd.server_port}/v1", answer)
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
        gc.collect()  # a connection that was left open is a warning here, not in another test


def system_of(body: dict[str, Any]) -> str:
    """The system prompt of a request."""
    return str(body["messages"][0]["content"])


def asked_of(body: dict[str, Any]) -> str:
    """What the user asked."""
    return str((body.get("messages") or body["input"])[1]["content"])


def write_suite(folder: Path, cases: int = 8) -> Path:
    """A suite of words that are to be answered in capitals, for the agent in `agents/crier`."""
    listed = "".join(
        f"  - id: case-{i}\n    tags: [{'edge' if i % 4 == 0 else 'happy'}]\n    input: word{i}\n"
        f"    expect: {{answer: {{regex: ['^WORD{i}$']}}}}\n"
        for i in range(cases)
    )
    (folder / "cases.yaml").write_text(f"cases:\n{listed}", encoding="utf-8")
    suite = folder / "suite.yaml"
    suite.write_text(
        "name: words\nagent: agents/crier\ncases: [cases.yaml]\nrepeats: 1\nconcurrency: 4\n"
        "scorers: [outcome, answer]\n",
        encoding="utf-8",
    )
    return suite


def write_agent(
    folder: Path,
    version: str,
    prompt: str,
    *,
    temperature: float = 0.0,
    tools: tuple[str, ...] = ("look", "write"),
    model: str = "tiny",
    tokens: int = 10_000,
) -> Path:
    """A version of `agents/crier` on the notebook of the harness's tests."""
    home = folder / "agents" / "crier" / version
    home.mkdir(parents=True)
    (home / "system-prompt.md").write_text(prompt, encoding="utf-8")
    (home / "tools.yaml").write_text(
        "".join(f"- name: {name}\n" for name in tools), encoding="utf-8"
    )
    (home / "config.yaml").write_text(
        f"model: {model}\nprovider: local\nsettings: {{temperature: {temperature}}}\n"
        f"environment: tests.harness.scripted:Notebook\ncontract: {{max_tokens: {tokens}}}\n",
        encoding="utf-8",
    )
    (home / "README.md").write_text(f"# {version}\n", encoding="utf-8")
    return home
