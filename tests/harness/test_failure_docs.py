"""docs/failure.md: its example runs, and says what it prints."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

from goldspan.harness.agents.version import AgentConfig
from goldspan.harness.failure.policy import BreakerPolicy, FailurePolicy, RetryPolicy
from goldspan.harness.models.context import ContextPolicy
from goldspan.tracing import semconv

PAGE = Path(__file__).parents[2] / "docs" / "failure.md"


def test_the_worked_example_prints_what_the_page_says() -> None:
    page = PAGE.read_text("utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.stdout == printed


def test_the_settings_of_the_page_are_those_of_a_version() -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    known = {"model": "m", "provider": "p", "environment": "x:Y"}
    config = AgentConfig.model_validate({**known, **yaml.safe_load(text)})
    assert config.failure is not None
    assert config.failure.model_copy(update={"tools": {}}) == FailurePolicy()
    assert config.failure.rule("get_metadata").when_down == "pending"
    assert config.routing is not None
    assert config.context == ContextPolicy(window_tokens=32_000)


def test_the_figures_of_the_page_are_those_of_the_code() -> None:
    page = " ".join(PAGE.read_text("utf-8").split())
    retry, breaker, context = RetryPolicy(), BreakerPolicy(), ContextPolicy()
    for said in (
        f"A call is tried {retry.attempts} times.",
        f"from 0 to {retry.first_wait_s:g} s doubled n-1 times, at most {retry.max_wait_s:g} s",
        f"asks for more than {retry.max_wait_s:g} s is not asked again",
        f"After {breaker.failures} failures in a row it opens",
        f"no worker calls the tool for {breaker.cooldown_s:g} s",
        f"another call may claim it after {breaker.probe_s:g} s",
        f"{breaker.within_s / 60:g} minutes without one",
        f"Above {context.compact_at * 100:g} % of the room",
        f"shortened to {context.compact_to * 100:g} %",
        f"first {context.keep_chars} characters; the newest {context.keep_results} stay",
    ):
        assert said in page, said


def test_every_event_and_attribute_that_the_page_names_exists() -> None:
    names = {value for value in vars(semconv).values() if isinstance(value, str)}
    said = re.findall(r"`(goldspan\.[a-z_.]+)`", PAGE.read_text("utf-8"))
    assert set(said) <= names
    assert {semconv.CALL_FAILED, semconv.BREAKER_CHANGED, semconv.PART_PENDING} <= set(said)
    assert {semconv.MODEL_ROUTED, semconv.CONTEXT_COMPACTED} <= set(said)
