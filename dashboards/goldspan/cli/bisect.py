"""`goldspan bisect`: between two versions of an agent, which change made it worse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.table import Table
from rich.text import Text

from goldspan.cli.console import err, out, print_json
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption
from goldspan.cli.suite_options import (
    AgentOption,
    BaseUrl,
    Cases,
    Cassette,
    Concurrency,
    Live,
    MarginOption,
    ModelOption,
    Record,
    Repeats,
    Replay,
    Seed,
    Tags,
    TargetOption,
    mode_of,
    options_of,
    with_progress,
)

if TYPE_CHECKING:
    from goldspan.evals.bisect_result import BisectResult, Probe

STYLES = {"pass": "green", "regression": "red", "inconclusive": "yellow", "unmeasured": "magenta"}


def register(app: typer.Typer) -> None:
    """Add `goldspan bisect`."""
    app.command("bisect")(bisect)


def bisect(
    good: Annotated[str, typer.Argument(help="A version that was good, or its folder.")],
    bad: Annotated[str, typer.Argument(help="A later version that is worse, or its folder.")],
    suite: Annotated[
        Path, typer.Option("--suite", help="A suite.yaml, or the folder that has one.")
    ],
    agent: AgentOption = None,
    store: StoreOption = DEFAULT_STORE,
    strategy: Annotated[
        Literal["ddmin", "each"],
        typer.Option(help="ddmin: halves, and combinations. each: every change alone."),
    ] = "ddmin",
    hunks: Annotated[
        bool, typer.Option("--hunks", help="Take the prompt's hunks as changes of their own.")
    ] = False,
    max_cost: Annotated[
        float | None,
        typer.Option(min=0.0, help="USD; no experiment is begun that may go beyond it."),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Say what would be run, and stop.")] = False,
    fresh: Annotated[
        str | None,
        typer.Option(help="A name for measuring all anew; without it the store's runs are kept."),
    ] = None,
    target: TargetOption = None,
    repeats: Repeats = None,
    concurrency: Concurrency = None,
    case: Cases = None,
    tag: Tags = None,
    margin: MarginOption = None,
    seed: Seed = 0,
    cassette: Cassette = None,
    replay: Replay = False,
    record: Record = False,
    live: Live = False,
    model: ModelOption = None,
    base_url: BaseUrl = None,
    as_json: JsonOption = False,
) -> None:
    """Find which change between two versions made the agent worse.

    Versions in between are made and measured, each as an experiment of its own; the same command
    goes on where it was stopped. Exit codes: 1 the regression is there and its cause is named, 0
    no regression, 2 usage or bad input, 3 inconclusive, 4 could not measure, or --max-cost.
    """
    from goldspan.evals.bisect import Bisection
    from goldspan.evals.suite import load_suite
    from goldspan.harness.agents.folder import find_version

    loaded = load_suite(suite)
    beside = loaded.path.parent / loaded.file.agent if loaded.file.agent else None
    options = options_of(
        store,
        case=case,
        tag=tag,
        target=target,
        repeats=repeats,
        concurrency=concurrency,
        margin=margin,
        seed=seed,
        cassette=cassette,
        mode=mode_of(cassette=cassette, replay=replay, record=record, live=live),
        model=model,
        base_url=base_url,
    )
    bisection = Bisection(
        find_version(good, agent, beside=beside),
        find_version(bad, agent, beside=beside),
        loaded,
        options,
        strategy=strategy,
        hunks=hunks,
        max_cost_usd=max_cost,
        fresh=fresh,
        run_session=with_progress(),
        announce=lambda probe: None if as_json else _announce(probe),
    )
    if plan and as_json:
        print_json({"plan": bisection.plan, "changes": bisection.parts})
        return
    if not as_json:
        for sentence in bisection.plan:
            (out if plan else err).print(Text(sentence))
    if plan:
        return
    result = bisection.run()
    if as_json:
        print_json(result.to_json())
    else:
        _show(result)
    raise typer.Exit(result.exit_code)


def _announce(probe: Probe) -> None:
    err.print(Text(f"{probe.verdict:13} {_parts(probe)}"))


def _show(result: BisectResult) -> None:
    from goldspan.evals.presentation.words import percent, points

    table = Table("changes of the bad version", "verdict", "pass rate", "effect", "runs", "why")
    for probe in result.probes:
        effect = "n/a" if probe.effect is None else points(probe.effect)
        if probe.low is not None and probe.high is not None:
            effect += f" ({points(max(probe.low, -1.0))} to {points(min(probe.high, 1.0))})"
        runs = f"{probe.runs} ({probe.kept_runs} kept)" if probe.kept_runs else str(probe.runs)
        table.add_row(
            Text(_parts(probe)),
            Text(probe.verdict, style=STYLES.get(probe.verdict, "")),
            percent(probe.pass_rate),
            effect,
            runs,
            Text(probe.reason or ""),
        )
    if result.probes:
        out.print(table)
    answer, *more = result.answer()
    out.print(Text(answer, style="bold"))
    for sentence in more:
        out.print(Text(f"  {sentence}"))
    for cause in result.causes:
        for change in cause:
            out.print(Text(f"\n{change.part} {change.kind}", style="bold"))
            for line in change.lines():
                out.print(Text(line))


def _parts(probe: Probe) -> str:
    return ", ".join(probe.parts)
