"""`goldspan agent`: versions of an agent made, compared, promoted and taken back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from goldspan.cli.agent_check import check
from goldspan.cli.agent_promote import promote, rollback
from goldspan.cli.console import err, out, print_json
from goldspan.cli.store import JsonOption
from goldspan.cli.suite_options import AgentOption

if TYPE_CHECKING:
    from goldspan.harness.agents.diff import VersionDiff

STYLES = {"+": "green", "-": "red", "@": "cyan"}


def register(app: typer.Typer) -> None:
    """Add the `agent` commands."""
    agent = typer.Typer(no_args_is_help=True, help="Make, compare, promote and take back versions.")
    agent.command("new")(new)
    agent.command("list")(list_versions)
    agent.command("show")(show)
    agent.command("diff")(diff)
    agent.command("check")(check)
    agent.command("promote")(promote)
    agent.command("rollback")(rollback)
    app.add_typer(agent, name="agent")


def new(
    name: Annotated[
        str, typer.Argument(help="A new agent's name, or vX.Y.Z for a new version of one.")
    ],
    source: Annotated[
        str | None, typer.Option("--from", help="The version to copy. Default: the current one.")
    ] = None,
    agent: AgentOption = None,
    model: Annotated[
        str, typer.Option(help="A new agent's model, as provider:name; or a NAME at --base-url.")
    ] = "openai:gpt-5.2-mini",
    as_json: JsonOption = False,
) -> None:
    """Make an agent in agents/, or another version of one. Nothing is overwritten.

    A new agent's v1.0.0 is current; a new version becomes current by `agent promote`.
    """
    from goldspan.harness.agents.folder import AGENTS, AgentFolder
    from goldspan.harness.agents.scaffold import VERSION, new_agent, new_version
    from goldspan.harness.models.gateway import LOCAL
    from goldspan.tracing.errors import ConfigError

    if VERSION.fullmatch(name):
        home = AgentFolder.find(agent)
        made = new_version(home, name, source=source)
        hint = f"edit it; goldspan agent diff {home.current or made.version} {made.version}"
    else:
        if source is not None or agent is not None:
            raise ConfigError("--from and --agent are for a new version", remedy="name vX.Y.Z")
        made = new_agent(name, AGENTS, model=model)
        where = " --base-url URL" if made.config.provider == LOCAL else ""
        hint = f'goldspan run {made.path} "What do you know?"{where}'
    if as_json:
        print_json({"agent": made.name, "version": made.version, "path": str(made.path)})
        return
    out.print(Text(f"{made.path} is there; next: {hint}"))


def list_versions(agent: AgentOption = None, as_json: JsonOption = False) -> None:
    """List an agent's versions, which is current, and the last promotions."""
    from dataclasses import asdict

    from goldspan.harness.agents.folder import AgentFolder
    from goldspan.harness.agents.version import AgentVersion

    home = AgentFolder.find(agent)
    versions = [AgentVersion.load(home.path / name) for name in home.versions()]
    log, current = home.log(), home.current
    if as_json:
        listed = [
            {"version": v.version, "digest": v.digest, "current": v.version == current}
            for v in versions
        ]
        print_json(
            {
                "agent": home.name,
                "current": current,
                "versions": listed,
                "promotions": [asdict(entry) for entry in log],
                "warning": home.unlogged(),
            }
        )
        return
    table = Table("", "version", "digest", title=home.name)
    table.add_column("model", overflow="fold")
    table.add_column("tools", justify="right")
    table.add_column("examples", justify="right")
    for v in versions:
        mark = Text("current", style="bold green") if v.version == current else Text("")
        model = f"{v.config.provider}:{v.config.model}"
        rest = (v.digest[:12], model, str(len(v.entries)), str(len(v.examples)))
        table.add_row(mark, Text(v.version, style="bold"), *map(Text, rest))
    out.print(table)
    for entry in log[-5:]:
        why = f", because {entry.because}" if entry.because else ""
        gate = f" ({entry.verdict or 'not measured'}{', overridden' if entry.forced else ''})"
        moved = f"{entry.from_version} → {entry.to_version}"
        said = gate if entry.action == "promote" else ""
        out.print(Text(f"{entry.time[:16]}  {entry.action} {moved}{said} by {entry.by}{why}"))
    if home.unlogged():
        err.print(Text(f"warning: {home.unlogged()}", style="yellow"))


def show(
    version: Annotated[str, typer.Argument(help="A version, a folder, or current.")] = "current",
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a version: digest, model, settings, contract, tools, and its prompt."""
    from goldspan.harness.agents.folder import AgentFolder

    folder = Path(version) if (Path(version) / "config.yaml").is_file() else None
    home = AgentFolder(folder.parent) if folder else AgentFolder.find(agent)
    found = home.version(version)
    tools = found.tools(found.environment())
    asked = found.approval_names(tools)
    if as_json:
        print_json(
            {
                "agent": found.name,
                "version": found.version,
                "path": str(found.path),
                "digest": found.digest,
                "current": found.version == home.current,
                "config": found.config.model_dump(mode="json"),
                "tools": [{"name": t.name, "needs_approval": t.name in asked} for t in tools],
                "examples": len(found.examples),
                "system_prompt": found.system_prompt,
            }
        )
        return
    config = found.config
    state = ", current" if found.version == home.current else ""
    out.print(Text(f"{found.name} {found.version}{state}", style="bold"))
    limits = config.contract.model_dump(mode="json", exclude_none=True)
    rows = {
        "digest": found.digest,
        "model": f"{config.provider}:{config.model} ({config.tool_mode} tool calls)",
        "settings": _values(config.settings),
        "contract": _values(limits),
        "environment": config.environment,
        "tools": ", ".join(t.name + (" (approval)" if t.name in asked else "") for t in tools),
        "examples": str(len(found.examples)),
    }
    for name, value in rows.items():
        out.print(Text(f"  {name:12} {value}"))
    out.print(Text("\n" + found.system_prompt.strip()))


def diff(
    old: Annotated[str, typer.Argument(help="A version, a folder, or current.")],
    new_version: Annotated[str, typer.Argument(metavar="NEW", help="The other one.")],
    agent: AgentOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two versions part by part: prompt, model, config, tools, examples."""
    from goldspan.harness.agents.diff import diff_versions
    from goldspan.harness.agents.folder import find_version

    found = diff_versions(find_version(old, agent), find_version(new_version, agent))
    if as_json:
        print_json(found.to_json())
    else:
        show_diff(found)


def show_diff(found: VersionDiff) -> None:
    """Print a diff: each change with its lines, or that there is none that matters."""
    versions = [f"{v.name} {v.version} ({v.digest[:12]})" for v in (found.old, found.new)]
    out.print(Text(" → ".join(versions), style="bold"))
    if found.same:
        out.print(Text("nothing that matters differs: same digest"))
    elif found.only_layout:
        out.print(
            Text("only comments and layout differ; the digests do, so recorded answers do not fit")
        )
    for change in found.changes:
        lines = change.lines()
        if len(lines) > 1:
            out.print(Text(f"\n{change.part} {change.kind}", style="bold"))
            lines = lines[2:]  # the file's names are in the line above
        for line in lines:
            out.print(Text(line, style=STYLES.get(line[:1], "")))


def _values(mapping: dict[str, object]) -> str:
    return ", ".join(f"{key}={value}" for key, value in mapping.items()) or "none"
