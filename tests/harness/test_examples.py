"""Examples: a version's tasks done well, shown to the model in its own format."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from goldspan.harness.agents.bundled import bundled_agent
from goldspan.harness.agents.version import AgentVersion
from goldspan.harness.demo.desk import SupportDesk
from goldspan.harness.models.protocol import Example, ExampleStep, Protocol
from goldspan.tracing.errors import ConfigError

DONE_WELL = Example(
    task="Which plan is C-900 on?",
    steps=[
        ExampleStep(
            thought="Look.",
            action="get_account",
            arguments={"customer_id": "C-900"},
            result='{"plan": "team"}',
        ),
        ExampleStep(action="answer", arguments={"text": "The team plan."}),
    ],
)


@pytest.fixture
def version(tmp_path: Path) -> Path:
    target = tmp_path / "support-desk" / "v1.0.0"
    shutil.copytree(bundled_agent("support-desk") / "v1.0.0", target)
    return target


def test_json_mode_shows_steps_as_the_model_writes_them() -> None:
    text = Protocol("json", SupportDesk().tools()).system("Be kind.", [DONE_WELL])
    assert text.startswith("Be kind.\n\nTools:\n")
    assert text.endswith(
        "Example 1. Task: Which plan is C-900 on?\n"
        '{"thought": "Look.", "action": "get_account", "arguments": {"customer_id": "C-900"}}\n'
        'Result of get_account: {"plan": "team"}\n'
        '{"thought": "", "action": "answer", "arguments": {"text": "The team plan."}}'
    )


def test_native_mode_shows_them_in_words() -> None:
    text = Protocol("native", SupportDesk().tools()).system("Be kind.", [DONE_WELL])
    assert text == (
        "Be kind.\n\n"
        "Example 1. Task: Which plan is C-900 on?\n"
        'Call get_account: {"customer_id": "C-900"}\n'
        'Result of get_account: {"plan": "team"}\n'
        "Answer: The team plan."
    )


def test_a_version_has_its_examples_and_may_have_none(version: Path) -> None:
    assert len(AgentVersion.load(version).examples) >= 3
    (version / "examples.yaml").unlink()
    assert AgentVersion.load(version).examples == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("task: one", "must be a list of examples"),
        ("- {task: one}", "steps: is missing"),
        ("- {task: one, steps: []}", "steps: is empty"),
        ("- {task: one, steps: [{action: get_acount}]}", "calls 'get_acount', which is no tool"),
        ("- {task: one, steps: [{action: answer, text: hi}]}", "unknown key"),
    ],
)
def test_faulty_examples_name_the_file(version: Path, text: str, said: str) -> None:
    (version / "examples.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"examples\.yaml") as caught:
        AgentVersion.load(version)
    assert said in str(caught.value)
