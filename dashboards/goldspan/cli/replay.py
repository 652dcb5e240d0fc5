"""`goldspan replay`: a recorded run again, and the first step at which it differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table
from rich.text import Text

from goldspan.cli.console import err, out, print_json, tell_undelivered_once
from goldspan.cli.run import MODEL_HELP
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from goldspan.harness.models.routing import Route
    from goldspan.harness.replay import Recording, Replay

DIFFERS = 1


def register(app: typer.Typer) -> None:
    """Add `goldspan replay`."""
    app.command("replay")(replay)


def replay(
    trace: Annotated[
        str, typer.Argument(help="A trace's id or a run's, or the start of it, if only one fits.")
    ],
    agent: Annotated[
        str | None,
        typer.Option(
            "--agent", "-a", help="Another version: a folder, or vX.Y.Z of the run's agent."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help=MODEL_HELP)] = None,
    base_url: Annotated[str | None, typer.Option(help="Any OpenAI-compatible server.")] = None,
    live_tools: Annotated[
        bool,
        typer.Option("--live-tools", help="Tools that only read run again; others as recorded."),
    ] = False,
    with_effects: Annotated[
        bool,
        typer.Option(
            "--with-effects", help="With --live-tools: run tools that write or act as well."
        ),
    ] = False,
    setup: Annotated[
        Path | None,
        typer.Option(
            help="With --live-tools: what the world begins with, YAML or JSON; as recorded if not"
            " given."
        ),
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Run a recorded run again on its exact input, and show the first step that differs.

    Model answers and tool results are the recorded ones. With --agent or --model, a request that
    was not made then goes to the model. Exit codes: 0 the same, 1 it differs, 2 usage or bad
    input, 4 it cannot be replayed.
    """
    from goldspan.harness.replay import replay_trace
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.store import Store

    if (with_effects or setup is not None) and not live_tools:
        raise ConfigError("--with-effects and --setup go with --live-tools")
    provider, _, name = (model or "").rpartition(":")
    tell_undelivered_once()
    found = replay_trace(
        Store.open(store, create=False),
        trace,
        agent=agent,
        make_model=_maker(model, base_url) if agent or model or base_url else None,
        model_name=name or None,
        provider=provider or None,
        live=("all" if with_effects else "reads") if live_tools else "none",
        setup=_setup(setup),
        workspaces=store.parent / "workspaces",
    )
    if as_json:
        print_json(found.to_json())
    else:
        show(found)
    if found.parting is not None:
        raise typer.Exit(DIFFERS)


def show(found: Replay) -> None:
    """The steps of both runs side by side, up to the first that differs."""
    at = found.parting
    table = Table("", _column("recorded", found.recorded), _column("replayed", found.replayed))
    shared = len(found.recorded.steps) if at is None else at.step - 1
    for index in range(shared):
        table.add_row(
            f"{index + 1} =", *(_step(r, index) for r in (found.recorded, found.replayed))
        )
    if at is None:
        table.add_row("end =", *(_end(r) for r in (found.recorded, found.replayed)))
    elif at.kind in ("request", "result"):
        was, now = Text(at.recorded, style="red"), Text(at.replayed, style="green")
        table.add_row(f"{at.step} ≠ {at.part or at.kind}", was, now)
    else:
        sides = [_whole(r, shared) for r in (found.recorded, found.replayed)]
        lines = [set(str(side).splitlines()) for side in sides]
        row = (_marked(sides[0], lines[1], "red"), _marked(sides[1], lines[0], "green"))
        table.add_row(f"{at.step} ≠", *row)
    out.print(table)
    for note in found.notes:
        err.print(Text(f"note: {note}", style="yellow"))
    said = "the same" if at is None else f"differs at step {at.step}: {at.part or at.kind}"
    style = "bold green" if at is None else "bold red"
    out.print(Text(f"{found.version.name} {found.version.version}: {said}", style=style))
    out.print(Text(f"replayed as trace {found.replayed.trace_id}"))


def _maker(model: str | None, base_url: str | None) -> Any:
    def make(route: Route) -> Any:
        # pydantic-ai and the providers' SDKs take a second to import; most replays need none.
        from goldspan.harness.models.gateway import ModelChoice
        from goldspan.harness.models.live import LiveModel

        url = route.base_url or base_url
        named = model or ModelChoice(route.provider, route.model).address(url)
        return LiveModel.make(named, base_url=url)

    return make


def _setup(path: Path | None) -> dict[str, Any] | None:
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.files import parse_yaml, read_text

    if path is None:
        return None
    value, _ = parse_yaml(read_text(path), path)
    if not isinstance(value, dict):
        raise ConfigError("must be a mapping", where=str(path), remedy="as a case's `setup` is")
    return value


def _column(side: str, recording: Recording) -> Column:
    return Column(Text(f"{side}: {recording.version or '?'}, {recording.model or '?'}"))


def _step(recording: Recording, index: int) -> Text:
    from goldspan.harness.replay.divergence import step_text

    return Text(step_text(recording.steps, index, answer=None, outcome=recording.outcome)[:100])


def _end(recording: Recording) -> Text:
    said = f": {recording.answer}" if recording.answer else ""
    return Text(f"{recording.outcome or 'no end'}{said}"[:200])


def _whole(recording: Recording, index: int) -> str:
    """A step with its arguments on lines of their own, so that those that differ can be marked."""
    if index >= len(recording.steps):
        return str(_end(recording))
    step = recording.steps[index]
    failed = f" → {step.error_type}" if step.error_type else ""
    body = (
        "" if step.arguments is None else json.dumps(step.arguments, ensure_ascii=False, indent=1)
    )
    return f"{step.tool}{failed}\n{body}".rstrip()


def _marked(side: str, other: set[str], style: str) -> Text:
    text = Text()
    for line in side.splitlines():
        text.append(f"{line}\n", style="" if line in other else style)
    text.rstrip()
    return text
