"""`goldspan agent promote` and `rollback`: which version is current, and who said so."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
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
    from goldspan.evals.gate import GateResult
    from goldspan.harness.agents.folder import AgentFolder
    from goldspan.harness.agents.promotion_log import Promotion

By = Annotated[
    str | None, typer.Option("--by", help="Who promotes. Default: the CI job's actor, or the user.")
]
ADVICE = {
    "regression": "goldspan bisect {old} {new} --suite {suite} says which change did it",
    "inconclusive": "more repeats or more cases would settle it; see above",
    "unmeasured": "mend what stood in the way and promote again",
}


def promote(
    version: Annotated[str, typer.Argument(help="The version that is to become current.")],
    suite: Annotated[
        Path | None, typer.Option("--suite", help="A suite.yaml, or the folder that has one.")
    ] = None,
    agent: AgentOption = None,
    store: StoreOption = DEFAULT_STORE,
    baseline: Annotated[
        str | None,
        typer.Option(
            help="A baseline of the current version: a file, or an experiment in the store. "
            "Default: it is measured first."
        ),
    ] = None,
    target: TargetOption = None,
    repeats: Repeats = None,
    concurrency: Concurrency = None,
    case: Cases = None,
    tag: Tags = None,
    margin: MarginOption = None,
    seed: Seed = 0,
    experiment: Annotated[str | None, typer.Option(help="The experiment's id.")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Keep what --experiment finished before.")
    ] = False,
    cassette: Cassette = None,
    replay: Replay = False,
    record: Record = False,
    live: Live = False,
    model: ModelOption = None,
    base_url: BaseUrl = None,
    markdown: Annotated[Path | None, typer.Option(help="Write a summary for a CI job.")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Promote whatever the gate says. Needs --because.")
    ] = False,
    because: Annotated[str | None, typer.Option(help="The reason, for the log.")] = None,
    by: By = None,
    as_json: JsonOption = False,
) -> None:
    """Make a version current if the gate lets it pass against the one that is current.

    Exit codes: 0 promoted, 1 regression, 2 usage or bad input, 3 inconclusive, 4 could not
    measure. On all but 0 the current version stays. Each promotion is a line in
    promotions.jsonl, and an event in the store.
    """
    from goldspan.evals.agent_promotion import gate_version, promoted
    from goldspan.evals.presentation import render_markdown, render_terminal
    from goldspan.evals.suite import load_suite
    from goldspan.harness.agents.folder import AgentFolder
    from goldspan.harness.agents.promotion_log import send_promotions, who
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.files import check_target, write_text

    if force and not (because or "").strip():
        raise ConfigError("--force needs --because TEXT", remedy="say why: it is kept in the log")
    if suite is None and not force:
        raise ConfigError("give --suite", remedy="a promotion goes through the gate of a suite")
    loaded = None if suite is None else load_suite(suite)
    named = loaded.file.agent if loaded else None
    home = AgentFolder.find(agent, beside=loaded.path.parent / named if loaded and named else None)
    candidate = home.own_version(version)
    if home.current == candidate.version:
        raise ConfigError(f"{version} is current already", where=str(home.path / "current"))
    if markdown is not None:
        check_target(markdown)
    gate = None
    if loaded is not None and (home.current is not None or not force):
        options = options_of(
            store,
            case=case,
            tag=tag,
            target=target,
            baseline=baseline,
            repeats=repeats,
            concurrency=concurrency,
            margin=margin,
            seed=seed,
            experiment_id=experiment,
            resume=resume,
            cassette=cassette,
            mode=mode_of(cassette=cassette, replay=replay, record=record, live=live),
            model=model,
            base_url=base_url,
        )
        gate = gate_version(home, candidate, loaded, options, with_progress())
        if markdown is not None:
            write_text(markdown, render_markdown(gate))
        if not as_json:
            render_terminal(gate, out)
    old = home.current
    promotion = promoted(home, candidate, gate, by=by or who(), because=because, force=force)
    if promotion is not None:
        send_promotions(home.path, store)
    if as_json:
        print_json(_told(home, promotion, gate))
    elif promotion is not None:
        _tell(home, promotion)
    elif gate is not None:
        words = {"old": old, "new": candidate.version, "suite": suite}
        advice = ADVICE.get(gate.verdict, "").format(**words)
        err.print(Text(f"{candidate.version} is not promoted; {old} stays current. {advice}"))
    if promotion is None and gate is not None:
        raise typer.Exit(gate.exit_code)


def rollback(
    to: Annotated[
        str | None, typer.Option("--to", help="The version. Default: the one in use before.")
    ] = None,
    because: Annotated[str, typer.Option(help="The reason, for the log.")] = "",
    agent: AgentOption = None,
    store: StoreOption = DEFAULT_STORE,
    by: By = None,
    as_json: JsonOption = False,
) -> None:
    """Make an earlier version current again, at once and without the gate; it is logged."""
    from goldspan.harness.agents.folder import AgentFolder
    from goldspan.harness.agents.promotion_log import send_promotions, who
    from goldspan.tracing.errors import ConfigError

    if not because.strip():
        raise ConfigError("give --because TEXT", remedy="say why: it is kept in the log")
    home = AgentFolder.find(agent)
    promotion = home.roll_back(to, by=by or who(), because=because)
    if home.changed_since_used(home.version(promotion.to_version), before=promotion):
        err.print(
            Text(
                f"warning: {promotion.to_version} has changed since it was last in use",
                style="yellow",
            )
        )
    send_promotions(home.path, store)
    if as_json:
        print_json(_told(home, promotion, None))
    else:
        _tell(home, promotion)


def _told(
    home: AgentFolder, promotion: Promotion | None, gate: GateResult | None
) -> dict[str, object]:
    return {
        "agent": home.name,
        "current": home.current,
        "promotion": None if promotion is None else asdict(promotion),
        "gate": None if gate is None else gate.summary(),
    }


def _tell(home: AgentFolder, promotion: Promotion) -> None:
    was = promotion.from_version or "none"
    out.print(Text(f"{home.name}: {promotion.to_version} is current (was {was})", style="bold"))
    if promotion.forced:
        found = promotion.verdict or "not measured"
        err.print(
            Text(f"warning: the gate was overridden ({found}); the log says so", style="yellow")
        )
