"""`goldspan golden lint`: what is doubtful about cases that are sound in form."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from goldspan.cli.console import err, out, print_json
from goldspan.cli.golden_extra import needs_evals_extra
from goldspan.cli.plurals import counted
from goldspan.cli.store import JsonOption

if TYPE_CHECKING:
    from goldspan.evals.suite import Suite
    from goldspan.harness.agents.version import AgentVersion

STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def register(golden: typer.Typer) -> None:
    """Add the command."""
    golden.command("lint")(lint)


def lint(
    paths: Annotated[
        list[Path],
        typer.Argument(help="Files of cases, or folders of them; or one suite, by its folder."),
    ],
    agent: Annotated[
        Path | None, typer.Option(help="The agent version that has the tools and the environment.")
    ] = None,
    tools: Annotated[
        str | None, typer.Option(help="The agent's tools, by commas, where it is no version.")
    ] = None,
    store: Annotated[
        Path | None, typer.Option(help="Look through the experiments of this store as well.")
    ] = None,
    min_share: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The least share of edge, adversarial cases.")
    ] = 0.1,
    min_runs: Annotated[
        int, typer.Option(min=1, help="Runs of a case before its past is looked at.")
    ] = 5,
    as_json: JsonOption = False,
) -> None:
    """Find cases that measure little: passed by doing nothing, duplicates, never met, never failed.

    Of a suite its own scorers and agent are taken. Exit 1 where there is an error, 0 with warnings
    and notes only, 2 where the cases themselves have faults.
    """
    from goldspan.golden import load_cases
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.store import Store

    with needs_evals_extra():
        from goldspan.evals.lint import lint as lint_set

    if agent is not None and tools is not None:
        raise ConfigError("--agent and --tools exclude each other")
    suite = _suite(paths)
    cases = load_cases(paths) if suite is None else suite.case_set
    named = None if tools is None else [name.strip() for name in tools.split(",")]
    findings = lint_set(
        cases,
        scorers=None
        if suite is None
        else [each for each in suite.scorers() if each.name in suite.pass_when],
        version=_version(suite, agent),
        tools=named,
        store=None if store is None else Store.open(store, create=False),
        min_share=min_share,
        min_runs=min_runs,
    )
    levels: Counter[str] = Counter(finding.level for finding in findings)
    if as_json:
        shown = [finding.to_json() for finding in findings]
        about = {"cases": len(cases.cases), "digest": cases.digest, "errors": levels["error"]}
        print_json({**about, "warnings": levels["warning"], "findings": shown})
    else:
        for finding in findings:
            err.print(Text.assemble((f"{finding.level}: ", STYLES[finding.level]), str(finding)))
        numbers = [counted(levels[level], level) for level in STYLES if levels[level]]
        said = ", ".join(numbers) or "nothing found"
        out.print(f"{counted(len(cases.cases), 'case')}: {said}; digest {cases.digest[:12]}")
    raise typer.Exit(1 if levels["error"] else 0)


def _suite(paths: list[Path]) -> Suite | None:
    """The suite that is named, by its file or by its folder, where it is one."""
    from goldspan.evals.suite import load_suite

    (first, *more) = paths
    if more or not (first.name == "suite.yaml" or (first / "suite.yaml").is_file()):
        return None
    return load_suite(first)


def _version(suite: Suite | None, agent: Path | None) -> AgentVersion | None:
    """The agent version that is named, else the suite's own."""
    from goldspan.harness.agents.bundled import bundled_agent
    from goldspan.harness.agents.version import AgentVersion

    if agent is None and suite is not None and suite.file.agent is not None:
        beside = suite.path.parent / suite.file.agent
        agent = beside if beside.exists() else bundled_agent(Path(suite.file.agent).name)
    return None if agent is None else AgentVersion.load(agent)
