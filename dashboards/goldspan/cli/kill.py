"""`goldspan stop`, `goldspan resume`, `goldspan drill`: the kill switch."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from goldspan.cli.console import err, out, print_json
from goldspan.cli.engine_place import (
    EngineOption,
    NameOption,
    complete_agents,
    complete_runs,
    who,
)
from goldspan.cli.ledger import opened_ledger, send_audit
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from goldspan.harness.drill import DrillResult
    from goldspan.harness.operation.kill import Held, KillSwitch
    from goldspan.tracing.instrument import Telemetry

ALIVE_S = 30.0
POLL_S = 0.05

AllOption = Annotated[bool, typer.Option("--all", help="Every run of every agent.")]
AgentOption = Annotated[
    str | None,
    typer.Option("--agent", help="Every run of one agent.", autocompletion=complete_agents),
]
RunOption = Annotated[
    str | None, typer.Option("--run", help="One run.", autocompletion=complete_runs)
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("stop")(stop)
    app.command("resume")(resume)
    app.command("drill")(drill)


def stop(
    because: Annotated[str, typer.Option("--because", help="Why, for the record.")],
    everything: AllOption = False,
    agent: AgentOption = None,
    run: RunOption = None,
    name: NameOption = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Watch for so many seconds how the runs stop.")
    ] = 5.0,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Stop runs now: no further model or tool call begins, in any worker.

    Calls under way are cut, or reported where they cannot be. The runs end killed, and go on where
    they were after `goldspan resume`. New runs of what is stopped do not start either.

    Exit 0: stopped; 4: some call is still under way after --wait.
    """
    from goldspan.harness.operation.attended import end_gone
    from goldspan.harness.operation.kill import KillSwitch

    scope = _scope(everything, agent, run)
    with opened_ledger(store, engine) as ledger:
        switch = KillSwitch(ledger)
        earlier = any(flag.scope == scope for flag in switch.flags())
        flag = switch.stop(scope, by=who(name), reason=because)
        if not as_json:
            told = f"{scope} was stopped before, by {flag.by}: {flag.reason}"
            out.print(Text(told if earlier else f"stopped: {scope}", style="bold red"))
            _warn_of_strangers(switch, agent)
        end_gone(ledger)
        held = _watched(switch, scope, wait)
        send_audit(ledger, store)
    if as_json:
        print_json(
            {
                "scope": flag.scope,
                "by": flag.by,
                "because": flag.reason,
                "at": flag.at,
                "stopped_before": earlier,
                "going": held.going,
                "killed": held.killed,
                "waiting": held.waiting,
            }
        )
    else:
        _show_held(held, scope)
    raise typer.Exit(4 if held.going else 0)


def resume(
    everything: Annotated[bool, typer.Option("--all", help="Lift the stop of everything.")] = False,
    agent: AgentOption = None,
    run: RunOption = None,
    name: NameOption = None,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let stopped runs go on where they were.

    It lifts the stop of exactly this scope: what was stopped by itself stays stopped, and is named.
    Also lets a run go on that waits for its agent version to be what it was.
    """
    from goldspan.harness.operation.kill import KillSwitch

    scope = _scope(everything, agent, run)
    with opened_ledger(store, engine) as ledger:
        done = KillSwitch(ledger).resume(scope, by=who(name))
        send_audit(ledger, store)
    if as_json:
        still = [vars(flag) for flag in done.still]
        print_json({"scope": done.scope, "runs": done.runs, "still_stopped": still})
        return
    out.print(Text(f"{scope} may go on: {_runs(done.runs)}", style="green"))
    for flag in done.still:
        err.print(Text(f"still stopped: {flag.scope}, by {flag.by}: {flag.reason}", style="yellow"))


def drill(
    runs: Annotated[int, typer.Option(min=1, help="How many runs are started and stopped.")] = 3,
    name: NameOption = None,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Practise the kill switch on harmless runs, and measure it from their spans.

    They run on the workers that are there; without one, on a worker of the drill's own. Takes some
    ten seconds, and touches no other run. Exit 0: no call began later than a second after the stop,
    and every run went on afterwards; 1: not so; 4: it could not be measured.
    """
    from goldspan.harness.drill import Drill, own_worker
    from goldspan.harness.engine import EngineConfig
    from goldspan.harness.ledger.executors import Executors
    from goldspan.harness.operation.outbox import drain
    from goldspan.tracing.errors import ConfigError
    from goldspan.tracing.instrument import instrument
    from goldspan.tracing.store import Store

    def say(text: str) -> None:
        if not as_json:
            err.print(Text(text, style="dim"))

    by, result = who(name), None
    try:
        with opened_ledger(store, engine) as ledger:
            now = ledger.clock()
            alive = [w for w in Executors(ledger).alive() if now - w["beat"] < ALIVE_S]
            if alive:
                say(f"{len(alive)} workers are there")
                config = EngineConfig(ledger.database.url)
                result = Drill(config, ledger, Store.open(store), by).practise(runs, say=say)
                send_audit(ledger, store)
    except ConfigError:
        if engine is not None:
            raise
    if result is None:
        say("no worker runs: the drill has one of its own")

        def own_telemetry() -> Telemetry:
            return instrument(store=store, service_name="goldspan-drill")

        with (
            own_telemetry() as telemetry,
            own_worker(telemetry.recorder, runs, lambda own: drain(own, own_telemetry)) as place,
        ):
            config, own = place
            result = Drill(config, own, Store.open(store), by).practise(runs, say=say)
    if as_json:
        print_json(_drill_json(result))
    else:
        _show_drill(result)
    raise typer.Exit(0 if result.passed else 1)


def _scope(everything: bool, agent: str | None, run: str | None) -> str:
    from goldspan.tracing.errors import ConfigError

    given = [
        scope
        for scope, is_given in (
            ("all", everything),
            (f"agent:{agent}", agent is not None),
            (f"run:{run}", run is not None),
        )
        if is_given
    ]
    if len(given) != 1:
        raise ConfigError("give one of --all, --agent NAME, --run ID")
    return given[0]


def _warn_of_strangers(switch: KillSwitch, agent: str | None) -> None:
    known = switch.known_agents() if agent is not None else []
    if agent is not None and agent not in known:
        names = ", ".join(known) or "none"
        err.print(Text(f"no run of {agent} is known here; known agents: {names}", style="yellow"))


def _watched(switch: KillSwitch, scope: str, seconds: float) -> Held:
    """What the runs do once all wait, or when the time is over."""
    end = time.monotonic() + seconds
    while (held := switch.held(scope)).going and time.monotonic() < end:
        time.sleep(POLL_S)
    return held


def _show_held(held: Held, scope: str) -> None:
    out.print(Text(f"{_runs(held.killed)} killed; {held.waiting} wait for something else"))
    if held.going:
        err.print(
            Text(
                f"{_runs(held.going)} still under way: a call that cannot be cut, or a worker that"
                " died; no further call begins",
                style="yellow",
            )
        )
    kind, _, name = scope.partition(":")
    out.print(Text(f"goldspan resume --{kind} {name}".rstrip() + " lets them go on", style="dim"))


def _show_drill(result: DrillResult) -> None:
    found = result.measured
    verdict, style = ("passed", "bold green") if result.passed else ("FAILED", "bold red")
    out.print(Text(f"drill {verdict}", style=style))
    out.print(Text(f"last call begun   {_after(found.last_begun_ms)}"))
    out.print(Text(f"last call ended   {_after(found.last_ended_ms)}"))
    out.print(Text(f"all runs waiting  {_after(result.held_ms)}"))
    out.print(Text(f"calls under way   {found.under_way}"))
    out.print(Text(f"calls begun late  {found.late}"))
    out.print(Text(f"killed, went on   {found.killed}, {result.resumed} of {result.runs} runs"))


def _drill_json(result: DrillResult) -> dict[str, Any]:
    return {
        "passed": result.passed,
        "runs": result.runs,
        "held_ms": result.held_ms,
        "resumed": result.resumed,
        **vars(result.measured),
    }


def _after(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "never"
    side = "before" if milliseconds < 0 else "after"
    return f"{abs(milliseconds):.0f} ms {side} the stop"


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"
