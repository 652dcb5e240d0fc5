"""What differs between versions, and versions between two: every mix is what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from goldspan.harness.agents.bundled import bundled_agent
from goldspan.harness.agents.diff import diff_versions, prompt_hunks, with_hunks
from goldspan.harness.agents.mix import check_tools_exist, mix_versions
from goldspan.harness.agents.version import AgentVersion
from goldspan.tracing.errors import ConfigError

OLD: dict[str, Any] = {
    "system-prompt.md": "You answer.\n\nLook first.\n\nBe brief.\n",
    "tools.yaml": [
        {"name": "get_account"},
        {"name": "send_reply", "needs_approval": True},
        {"name": "get_ticket"},
    ],
    "config.yaml": {
        "model": "one",
        "provider": "local",
        "settings": {"temperature": 0, "stop": ["x"]},
        "environment": "goldspan.harness.demo.desk:SupportDesk",
        "contract": {"max_tokens": 1000},
    },
}
NEW: dict[str, Any] = {
    "system-prompt.md": "You answer well.\n\nLook first.\n\nBe brief and kind.\n",
    "tools.yaml": [
        {"name": "get_ticket"},
        {"name": "read_policy"},
        {"name": "send_reply"},
    ],
    "config.yaml": {
        "model": "two",
        "provider": "openai",
        "settings": {"temperature": 1, "extra_body": {"top_k": 5}},
        "environment": "goldspan.harness.demo.desk:SupportDesk",
        "contract": {"max_usd": 0.1},
    },
    "examples.yaml": [{"task": "t", "steps": [{"action": "read_policy"}]}],
}


def write(folder: Path, files: dict[str, Any]) -> AgentVersion:
    folder.mkdir(parents=True)
    for name, content in files.items():
        text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
        (folder / name).write_text(text, encoding="utf-8")
    return AgentVersion.load(folder)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[AgentVersion, AgentVersion]:
    home = tmp_path_factory.mktemp("agents") / "desk"
    return write(home / "v1.0.0", OLD), write(home / "v1.1.0", NEW)


PARTS = [
    "system-prompt#1", "system-prompt#2", "model", "config.settings.temperature",
    "config.settings.stop", "config.settings.extra_body", "config.contract.max_tokens",
    "config.contract.max_usd", "tools.get_account", "tools.send_reply", "tools.read_policy",
    "tools.order", "examples",
]  # fmt: skip


def test_every_part_is_named_with_its_values(both: tuple[AgentVersion, AgentVersion]) -> None:
    changes = {change.part: change for change in diff_versions(*both, hunks=True).changes}
    assert list(changes) == PARTS
    kinds = {part: change.kind for part, change in changes.items()}
    assert kinds["tools.get_account"] == "removed"
    assert kinds["tools.read_policy"] == kinds["examples"] == "added"
    assert kinds["config.settings.stop"] == "removed"
    assert kinds["config.settings.extra_body"] == "added"
    assert changes["model"].lines() == ['model: "local:one" → "openai:two"']
    assert changes["config.settings.temperature"].lines() == ["config.settings.temperature: 0 → 1"]
    assert changes["config.contract.max_tokens"].after == 100_000  # the default of the contract
    assert "+You answer well." in changes["system-prompt#1"].lines()
    assert "+Be brief and kind." not in changes["system-prompt#1"].lines()
    whole = diff_versions(*both).changes[0]
    assert (whole.part, whole.hunk) == ("system-prompt", None)
    assert {"+You answer well.", "+Be brief and kind."} <= set(whole.lines())


def test_the_diff_as_json_is_json(both: tuple[AgentVersion, AgentVersion]) -> None:
    told = diff_versions(*both).to_json()
    assert told["same_digest"] is False
    assert {change["file"] for change in told["changes"]} == set(NEW)
    assert told["old"] == {"agent": "desk", "version": "v1.0.0", "digest": both[0].digest}


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(PARTS)))
def test_a_mix_differs_by_exactly_the_parts_it_was_made_of(parts: set[str]) -> None:
    home = MADE / "desk"
    old, new = AgentVersion.load(home / "v1.0.0"), AgentVersion.load(home / "v1.1.0")
    diff = diff_versions(old, new, hunks=True)
    if "examples" in parts and "tools.read_policy" not in parts:
        with pytest.raises(ConfigError, match="calls 'read_policy', which is no tool"):
            mix_versions(diff, parts, MADE / "mixes")
        return
    mixed = mix_versions(diff, parts, MADE / "mixes")
    got = {change.part for change in diff_versions(old, mixed, hunks=True).changes}
    # One hunk alone is the whole difference of the prompt, so it bears no number.
    hunks = {part for part in parts if part.startswith("system-prompt#")}
    expected = (parts - hunks) | ({"system-prompt"} if len(hunks) == 1 else hunks)
    assert got - {"tools.order"} == expected - {"tools.order"}
    kept = [e.name for e in mixed.entries if e.name in ("send_reply", "get_ticket")]
    assert (kept == ["get_ticket", "send_reply"]) == ("tools.order" in parts)
    if parts in (set(), set(PARTS)):
        assert mixed.digest == (new if parts else old).digest


@pytest.fixture(scope="module", autouse=True)
def _made(tmp_path_factory: pytest.TempPathFactory) -> None:
    # Hypothesis calls a test many times with one set of fixtures; this folder is for all of them.
    global MADE
    MADE = tmp_path_factory.mktemp("mixed")
    write(MADE / "desk" / "v1.0.0", OLD)
    write(MADE / "desk" / "v1.1.0", NEW)


MADE = Path()
lines = st.lists(st.sampled_from(["a", "b", "c", "", "d e"]), max_size=8).map("\n".join)


@given(lines, lines)
def test_no_hunks_are_the_old_prompt_and_all_are_the_new(before: str, after: str) -> None:
    count = len(prompt_hunks(before, after))
    assert with_hunks(before, after, set()).strip("\n") == before.strip("\n")
    assert with_hunks(before, after, set(range(1, count + 1))).strip("\n") == after.strip("\n")


def test_the_same_and_only_layout_are_told_apart(tmp_path: Path) -> None:
    old = write(tmp_path / "a" / "v1.0.0", OLD)
    copy = write(tmp_path / "a" / "v1.0.1", {**OLD, "README.md": "another word"})
    assert diff_versions(old, copy).same
    text = "# a comment\n" + yaml.safe_dump(OLD["tools.yaml"])
    layout = diff_versions(old, write(tmp_path / "a" / "v1.0.2", {**OLD, "tools.yaml": text}))
    assert (layout.same, layout.only_layout, layout.changes) == (False, True, ())


def test_a_part_that_does_not_differ_and_a_missing_tool_are_refused(
    both: tuple[AgentVersion, AgentVersion], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"no such change: tools\.fly"):
        mix_versions(diff_versions(*both), {"tools.fly"}, tmp_path)
    flying = write(tmp_path / "a" / "v1.0.0", {**OLD, "tools.yaml": [{"name": "get_acount"}]})
    with pytest.raises(ConfigError, match="did you mean 'get_account'"):
        check_tools_exist(flying)


def test_the_demos_versions_differ_in_prompt_and_examples() -> None:
    home = bundled_agent("support-desk")
    versions = [AgentVersion.load(home / name) for name in ("v1.0.0", "v1.1.0", "v1.2.0")]
    worse = diff_versions(versions[0], versions[1])
    assert [change.part for change in worse.changes] == ["system-prompt", "examples"]
    mended = diff_versions(versions[0], versions[2], hunks=True)
    assert [change.part for change in mended.changes] == ["system-prompt"]
