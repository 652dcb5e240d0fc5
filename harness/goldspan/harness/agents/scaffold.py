"""`goldspan agent new`: the folder of a new agent, or of a new version of one, that works."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from goldspan.harness.agents.folder import AgentFolder
from goldspan.harness.agents.promotion_log import CURRENT
from goldspan.harness.agents.version import DECIDING_FILES, AgentVersion
from goldspan.harness.models.gateway import LOCAL
from goldspan.tracing.errors import ConfigError, InputError, why
from goldspan.tracing.files import write_text

VERSION = re.compile(r"v\d+\.\d+\.\d+")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FIRST = "v1.0.0"

PROMPT = """\
You are a careful assistant with a notebook.

- Look things up in the notes before you answer. State only what they say.
- If a note is missing, say so.
- When you are asked to remember something, write a note.
"""
TOOLS = """\
# What this version may call, by the names of its environment's tools.
- name: read_note
- name: write_note
"""
CONFIG = """\
model: {model}
provider: {provider}          # a live run asks provider:model; local: the server at --base-url
tool_mode: native         # or json, for models without tool calling
settings:
  temperature: 0
  max_tokens: 800
environment: goldspan.harness.agents.starter:Notebook   # module:Class of your own tools
contract:                 # limits of one run; a limit that is reached stops it
  max_tokens: 40000
  max_tool_calls: 10
  max_seconds: 300
  max_iterations: 10
"""
EXAMPLES = "# Tasks done well, shown to the model: task, and steps of action and arguments.\n[]\n"
README = """\
# {agent} {version}

What this version is for, and what it changes{since}.
"""


def new_agent(name: str, agents: Path, *, model: str) -> AgentVersion:
    """`agents/NAME/v1.0.0`, which is current, on a small environment that comes with Goldspan.

    `model` is `provider:name`, or a bare name for a server of one's own. Raises `ConfigError` where
    the agent's name is none, or is taken.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name for an agent", remedy="use letters, digits, dots and dashes"
        )
    home = agents / name
    if home.exists():
        raise ConfigError(
            "is there already",
            where=str(home),
            remedy=f"for another version: goldspan agent new v1.1.0 --agent {home}",
        )
    provider, colon, rest = model.partition(":")
    provider, model_name = (provider, rest) if colon else (LOCAL, model)
    folder = home / FIRST
    texts = {
        "system-prompt.md": PROMPT,
        "tools.yaml": TOOLS,
        "config.yaml": CONFIG.format(model=model_name, provider=provider or LOCAL),
        "examples.yaml": EXAMPLES,
        "README.md": README.format(agent=name, version=FIRST, since=""),
    }
    for file, text in texts.items():
        write_text(folder / file, text)
    write_text(home / CURRENT, f"{FIRST}\n")
    return AgentVersion.load(folder)


def new_version(agent: AgentFolder, version: str, *, source: str | None = None) -> AgentVersion:
    """A copy of a version, by default of the current one, under a new number; not yet current.

    Raises `ConfigError` where the number is none, is taken, or the source is not whole.
    """
    if not VERSION.fullmatch(version):
        raise ConfigError(f"{version!r} is no version", remedy="write it as v1.2.3")
    folder = agent.path / version
    if folder.exists():
        raise ConfigError(
            "is there already", where=str(folder), remedy="take the next number: versions stay"
        )
    old = agent.version(source or agent.current or (agent.versions() or [""])[-1])
    try:
        folder.mkdir()
        for name in DECIDING_FILES:
            if (old.path / name).exists():
                shutil.copyfile(old.path / name, folder / name)
    except OSError as error:
        raise InputError(f"cannot be written: {why(error)}", where=str(folder)) from None
    since = f" since {old.version}"
    write_text(folder / "README.md", README.format(agent=agent.name, version=version, since=since))
    return AgentVersion.load(folder)
