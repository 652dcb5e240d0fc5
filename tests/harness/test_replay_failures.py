"""Runs in which something failed are replayed as they went: retries, routes, unknown outcomes."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from goldspan.harness.approvals import NamedApprover
from goldspan.harness.failure.retry import Retry
from goldspan.harness.models.routing import Route
from tests.harness.replaying import CheapAndDear
from tests.harness.scripted import ScriptedModel, act, write_version
from tests.harness.test_replay import LOOK, again, record


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def version(home: Path, name: str = "v1.0.0", **parts: Any) -> None:
    """A version of the keeper with these parts of `config.yaml`."""
    folder = write_version(home / "agents" / "keeper" / name)
    config = (folder / "config.yaml").read_text("utf-8")
    config = config.replace("tests.harness.scripted:Notebook", "tests.harness.replaying:Flaky")
    lines = "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items())
    (folder / "config.yaml").write_text(config + lines, "utf-8")


def retried(attempts: int) -> dict[str, Any]:
    return {"retry": {"attempts": attempts, "first_wait_s": 0.001}}


@pytest.mark.parametrize(
    ("away", "errors"), [(1, [None, "NotFound"]), (2, [None, "NotFound"]), (9, ["Away", "Away"])]
)
def test_a_call_that_was_tried_again_is_one_step(
    home: Path, away: int, errors: list[str | None]
) -> None:
    version(home, failure=retried(3))
    record(home, ScriptedModel(LOOK), setup={"away": away})
    found = again(home)
    assert found.parting is None
    assert [step.error_type for step in found.recorded.steps] == errors
    assert [step.error_type for step in found.replayed.steps] == errors


def test_another_version_gets_what_a_call_came_to(home: Path) -> None:
    version(home, failure=retried(3))
    record(home, ScriptedModel(LOOK), setup={"away": 2})
    version(home, "v1.1.0", failure=retried(1))
    assert again(home, agent="v1.1.0").parting is None


def test_a_replay_does_not_wait_before_it_tries_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    version(home, failure=retried(3))
    record(home, ScriptedModel(LOOK), setup={"away": 9})
    slept: list[float] = []

    async def noted(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr("goldspan.harness.run.Retry", partial(Retry, sleep=noted))
    assert again(home).parting is None
    assert set(slept) == {0}


def test_a_call_of_which_nobody_knew_pauses_again(home: Path) -> None:
    version(home, failure=retried(3))
    texts = [act("write", text="x"), act("answer", text="done")]
    record(home, ScriptedModel(texts), approver=NamedApprover("approve"))
    found = again(home)
    assert found.parting is None
    assert found.replayed.outcome == "paused"


ROUTES = {
    "routes": [
        {"provider": "local", "model": "tiny"},
        {"provider": "local", "model": "dear", "base_url": "http://127.0.0.1:9/v1"},
    ]
}


def test_a_run_that_took_two_routes_takes_them_again(home: Path) -> None:
    version(home, routing=ROUTES)
    model = CheapAndDear()
    record(home, model)
    found = again(home)
    assert found.parting is None
    assert found.replayed.answer == "from dear"
    assert model.asked == ["tiny", "dear"]


def test_a_run_on_another_model_is_replayed_on_that(home: Path) -> None:
    version(home, routing=ROUTES)
    record(home, CheapAndDear(), model_name="large", provider="local")
    found = again(home)
    assert found.parting is None
    assert found.replayed.answer == "from large"


def test_what_was_not_recorded_is_asked_of_the_routes_own_model(home: Path) -> None:
    version(home, routing=ROUTES)
    record(home, CheapAndDear())
    version(home, "v1.1.0", routing=ROUTES)
    prompt = home / "agents" / "keeper" / "v1.1.0" / "system-prompt.md"
    prompt.write_text("You look twice.\n", "utf-8")
    made: list[Route] = []
    model = CheapAndDear()

    def make(route: Route) -> CheapAndDear:
        made.append(route)
        return model

    found = again(home, agent="v1.1.0", make_model=make)
    assert (found.parting, found.live_calls) == (None, 2)
    assert model.asked == ["tiny", "dear"]
    assert [route.base_url for route in made] == [None, "http://127.0.0.1:9/v1"]
