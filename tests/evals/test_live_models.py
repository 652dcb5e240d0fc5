"""Live models in experiments and runs: who is asked, and that no connection is left open."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from goldspan.cli.app import app
from goldspan.evals.session import EvalOptions, EvalSession
from goldspan.evals.suite import load_suite
from goldspan.harness.models.gateway import Mode, ModelGateway
from goldspan.harness.models.live import LiveModel
from goldspan.harness.models.messages import ModelRequest, text_message
from goldspan.tracing.errors import PricingError
from goldspan.tracing.store import Store
from tests.evals.chatting import ChatServer, asked_of, chatting, write_agent, write_suite

JUDGED = {"reason": "as asked", "grade": "pass"}


def crier(body: dict[str, Any]) -> str:
    """The user's word in capitals; for a judge, a grade."""
    return json.dumps(JUDGED) if "response_format" in body else asked_of(body).upper()


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chatting(crier) as state:
        yield state


def with_judge(folder: Path, **judge: str) -> Path:
    """The suite of words, with a rubric beside its other scorers."""
    suite = write_suite(folder, cases=4)
    text = suite.read_text().replace(
        "scorers: [outcome, answer]",
        "scorers: [outcome, answer, {rubric: {criteria: Is it loud}, name: loud}]",
    )
    suite.write_text(f"{text}judge: {json.dumps(judge)}\n")
    return suite


def test_an_experiment_closes_what_its_agent_and_its_judge_opened(
    tmp_path: Path, server: ChatServer
) -> None:
    write_agent(tmp_path, "v1.0.0", "Shout.")
    (tmp_path / "agents" / "crier" / "current").write_text("v1.0.0")
    suite = load_suite(with_judge(tmp_path, model="tiny"))
    options = EvalOptions(store=tmp_path / "s.duckdb", base_url=server.url)
    first = EvalSession(suite, options).run()
    assert first.experiment.pass_rate == 1.0
    assert server.connections >= 2
    assert server.unclosed() == 0


def test_a_fresh_baselines_connections_are_closed_too(tmp_path: Path, server: ChatServer) -> None:
    write_agent(tmp_path, "v1.0.0", "Shout.")
    (tmp_path / "agents" / "crier" / "current").write_text("v1.0.0")
    suite = load_suite(with_judge(tmp_path, model="tiny"))
    store = tmp_path / "s.duckdb"
    EvalSession(suite, EvalOptions(store, base_url=server.url, experiment_id="old")).run()
    asked = len(server.seen)
    options = EvalOptions(store, base_url=server.url, baseline="old", fresh_baseline=True)
    assert EvalSession(suite, options).run().gate.verdict == "pass"
    assert len(server.seen) > asked
    assert server.unclosed() == 0


def test_what_breaks_an_experiment_leaves_no_connection(
    tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_agent(tmp_path, "v1.0.0", "Shout.")
    (tmp_path / "agents" / "crier" / "current").write_text("v1.0.0")

    def broken(*_: object) -> None:
        raise RuntimeError("planted")

    session = EvalSession(
        load_suite(write_suite(tmp_path, cases=4)),
        EvalOptions(store=tmp_path / "s.duckdb", base_url=server.url),
    )
    with pytest.raises(ExceptionGroup):
        session.run(broken)
    assert server.connections >= 1
    assert server.unclosed() == 0


def routed(folder: Path) -> None:
    """The agent with two models, of which the second answers its first step."""
    home = write_agent(folder, "v1.0.0", "Shout.")
    (folder / "agents" / "crier" / "current").write_text("v1.0.0")
    routes = [{"provider": "local", "model": name} for name in ("small", "large")]
    config = home / "config.yaml"
    first = json.dumps({"routes": routes, "first": {"1": 1}})
    config.write_text(f"{config.read_text()}routing: {first}\n")


def test_an_experiment_takes_the_routes_of_its_version_and_closes_them(
    tmp_path: Path, server: ChatServer
) -> None:
    routed(tmp_path)
    suite = load_suite(write_suite(tmp_path, cases=2))
    tape, store = tmp_path / "tape.jsonl", tmp_path / "s.duckdb"
    made = EvalOptions(store, base_url=server.url, cassette=tape, mode="record")
    assert EvalSession(suite, made).run().experiment.pass_rate == 1.0
    assert {body["model"] for body in server.seen} == {"large"}
    assert server.unclosed() == 0
    again = EvalSession(suite, EvalOptions(store, cassette=tape, mode="replay")).run()
    assert again.experiment.pass_rate == 1.0
    asked = len(server.seen)
    other = EvalOptions(store, base_url=server.url, model="tiny")
    EvalSession(suite, other).run()
    assert {body["model"] for body in server.seen[asked:]} == {"tiny"}


def test_a_limit_in_usd_asks_for_the_price_of_every_route(
    tmp_path: Path, server: ChatServer
) -> None:
    routed(tmp_path)
    (tmp_path / "prices.yaml").write_text(
        "prices:\n- {model: tiny, input_usd: 1}\n- {model: small, input_usd: 1}\n"
    )
    suite = load_suite(write_suite(tmp_path, cases=2))
    options = EvalOptions(tmp_path / "s.duckdb", base_url=server.url, max_cost_usd=1.0)
    with pytest.raises(PricingError, match="local/large has no price"):
        EvalSession(suite, options).run()
    assert server.seen == []


def test_a_run_takes_the_routes_of_its_version(tmp_path: Path, server: ChatServer) -> None:
    routed(tmp_path)
    run = ("run", str(tmp_path / "agents" / "crier"), "say it", "--base-url", server.url)
    invoke(*run, "--store", str(tmp_path / "s.duckdb"))
    assert [body["model"] for body in server.seen] == ["large"]
    assert server.unclosed() == 0


def test_a_model_can_be_asked_again_in_another_event_loop(server: ChatServer) -> None:
    request = ModelRequest("local", "tiny", "be brief", [text_message("user", "word")])

    async def once() -> str:
        async with aclosing(ModelGateway(Mode.LIVE, None, model)) as gateway:
            assert gateway.live is not None
            answer = await gateway.live.answer(request)
        return str(answer.message["parts"][0]["content"])

    for _ in range(2):
        model = LiveModel.make("tiny", base_url=server.url)
        assert asyncio.run(once()) == "WORD"
    assert server.connections == 2
    assert server.unclosed() == 0


@pytest.fixture
def provider(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> ChatServer:
    """The server in the place of a provider that is known by name."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    return server


def test_a_new_agent_runs_live_as_it_is(
    tmp_path: Path, provider: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = invoke("agent", "new", "scribe", "--json")
    folder = json.loads(made.stdout)["path"]
    done = invoke("run", folder, "say it", "--store", "s.duckdb", "--json")
    (run,) = json.loads(done.stdout)["runs"]
    assert (run["outcome"], run["answer"]) == ("completed", "SAY IT")
    assert provider.seen[0]["model"] == "gpt-5.2-mini"
    assert provider.unclosed() == 0
    (call,) = Store.open(tmp_path / "s.duckdb").rows(
        "SELECT provider, request_model FROM llm_calls"
    )
    assert (call["provider"], call["request_model"]) == ("openai", "gpt-5.2-mini")


def test_an_experiment_asks_the_models_that_version_and_suite_name(
    tmp_path: Path, provider: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    invoke("agent", "new", "crier", "--model", "openai-chat:gpt-5.2-mini")
    with_judge(tmp_path, model="gpt-5.2", provider="openai-chat")
    argv = ("eval", "suite.yaml", "--store", "s.duckdb", "--cassette", "tape.jsonl")
    invoke(*argv, "--record")
    assert {body["model"] for body in provider.seen} == {"gpt-5.2-mini", "gpt-5.2"}
    assert provider.unclosed() == 0


def test_an_agent_of_a_local_model_says_where_it_is_run(
    tmp_path: Path, server: ChatServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = invoke("agent", "new", "scribe", "--model", "tiny")
    assert made.stdout.rstrip().endswith("--base-url URL")
    failed = CliRunner().invoke(app, ["run", "agents/scribe", "say it", "--store", "s.duckdb"])
    assert "--base-url URL of its server, or --model provider:name" in str(failed.exception)
    invoke("run", "agents/scribe", "say it", "--store", "s.duckdb", "--base-url", server.url)
    assert server.seen[0]["model"] == "tiny"
    assert server.unclosed() == 0


def invoke(*argv: str) -> Any:
    done = CliRunner().invoke(app, list(argv), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done
