"""`goldspan approvals`: what waits for a person, and what a person says of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from goldspan.cli.approvals_shown import show_approval, show_list, show_unknown, told
from goldspan.cli.console import out, print_json
from goldspan.cli.engine_place import EngineOption
from goldspan.cli.ledger import opened_ledger, send_audit
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from goldspan.harness.approvals import DecisionKind

Id = Annotated[str, typer.Argument(help="The approval's id, or how it begins.")]
As = Annotated[str, typer.Option("--as", help="Who decides: recorded with the decision.")]
Token = Annotated[
    str | None,
    typer.Option(help="From `show --as NAME`: decides exactly what was shown, or nothing."),
]
Because = Annotated[str, typer.Option(help="The reason: kept, and told to the agent.")]

commands = typer.Typer(no_args_is_help=True, help="Decide what waits for a person.")


def register(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(commands, name="approvals")


@commands.command("list")
def list_(
    decided: Annotated[bool, typer.Option("--decided", help="The newest decisions.")] = False,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """List what waits for a person, the longest first."""
    from goldspan.harness.approvals.register import Approvals

    with opened_ledger(store, engine) as ledger:
        approvals = Approvals(ledger)
        found = approvals.decided() if decided else approvals.waiting()
        if as_json:
            print_json([each.to_json() for each in found])
        else:
            nothing = "nothing was decided yet" if decided else "nothing waits for a person"
            show_list(found, ledger.clock(), nothing)


@commands.command()
def show(
    approval: Id,
    reviewer: Annotated[
        str | None, typer.Option("--as", help="Also print a token for this reviewer's decision.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show one proposal: the call, its draft, claims and evidence, the risk, and who said what.

    With --as a token is printed, once: it decides this call as it is shown, and only that.
    """
    from goldspan.harness.approvals.register import Approvals

    with opened_ledger(store, engine) as ledger:
        approvals = Approvals(ledger)
        found = approvals.find(approval)
        token = None if reviewer is None else approvals.issue(found, reviewer)
        if as_json:
            print_json(found.to_json() | ({} if token is None else {"token": token}))
            return
        show_approval(found, ledger.clock())
        if token is not None:
            out.print(Text(f"\ntoken for {reviewer}, good for one decision: {token}"))


@commands.command()
def approve(
    approval: Id,
    reviewer: As,
    edit: Annotated[
        Path | None,
        typer.Option(help="A YAML or JSON file with the arguments to correct; - reads them."),
    ] = None,
    because: Because = "",
    token: Token = None,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Approve a call as it is, or with a correction; the run goes on by itself.

    Where two reviewers are asked, it goes on when the second one has approved the same arguments.
    """
    correction = None if edit is None else _correction(edit)
    kind: DecisionKind = "approve" if correction is None else "edit"
    _decide(approval, kind, reviewer, because, token, store, engine, as_json, correction)


@commands.command()
def deny(
    approval: Id,
    reviewer: As,
    because: Annotated[str, typer.Option(help="The reason: kept, and told to the agent.")],
    token: Token = None,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Deny a call; the agent is told why, and goes on without it."""
    _decide(approval, "deny", reviewer, because, token, store, engine, as_json)


@commands.command()
def review(
    approval: Annotated[
        str | None, typer.Argument(help="The call to judge. Without it, those to judge are listed.")
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option("--as", help="Who judges: recorded with the judgement.")
    ] = None,
    right: Annotated[
        bool | None, typer.Option("--right/--wrong", help="Was it right to let the call go?")
    ] = None,
    because: Annotated[str, typer.Option(help="What was wrong.")] = "",
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Look at the sampled calls that their rule let go by themselves, and judge them."""
    from goldspan.harness.approvals.register import Approvals
    from goldspan.tracing.errors import ConfigError

    with opened_ledger(store, engine) as ledger:
        approvals = Approvals(ledger)
        if approval is None:
            found = approvals.sampled()
            if as_json:
                print_json([each.to_json() for each in found])
            else:
                show_list(found, ledger.clock(), "no call waits to be looked at")
            return
        one = approvals.find(approval)
        if right is None:
            show_approval(one, ledger.clock())
            return
        if reviewer is None:
            raise ConfigError("a judgement needs --as NAME")
        approvals.look_at(one, reviewer, right=right, reason=because)
        send_audit(ledger, store)
        if as_json:
            print_json(approvals.find(one.id).to_json())
        else:
            out.print(Text(f"{one.id[:12]} judged {'right' if right else 'wrong'} by {reviewer}"))


@commands.command()
def unknown(
    call: Annotated[
        str | None, typer.Argument(help="The call's key. Without it, such calls are listed.")
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option("--as", help="Who has looked: recorded with what they say.")
    ] = None,
    made: Annotated[bool | None, typer.Option("--made/--not-made", help="Was it made?")] = None,
    result: Annotated[
        Path | None, typer.Option(help="A YAML or JSON file with the result of a call that was.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    engine: EngineOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say of a call that a crash left unknown whether it was made; its run waits for that.

    A call that was made is not made again, and the run goes on with the result that is given.
    """
    from dataclasses import asdict

    from goldspan.harness.approvals.unknown import resolve, unknown_calls
    from goldspan.tracing.errors import ConfigError

    with opened_ledger(store, engine) as ledger:
        if call is None:
            found = unknown_calls(ledger)
            if as_json:
                print_json([asdict(each) for each in found])
            else:
                show_unknown(found, ledger.clock())
            return
        if reviewer is None or made is None:
            raise ConfigError("give --as NAME, and --made or --not-made")
        if result is not None and not made:
            raise ConfigError("a call that was not made has no result")
        value = None if result is None else _read(result)
        said = resolve(ledger, call, reviewer, made=made, result=value)
        send_audit(ledger, store)
    if as_json:
        print_json(asdict(said) | {"made": made, "reviewer": reviewer})
    else:
        out.print(Text(f"{said.tool} was {'' if made else 'not '}made: its run goes on"))


def _decide(
    approval: str,
    kind: DecisionKind,
    reviewer: str,
    because: str,
    token: str | None,
    store: Path,
    engine: str | None,
    as_json: bool,
    edit: Mapping[str, Any] | None = None,
) -> None:
    from goldspan.harness.approvals.deciding import decide
    from goldspan.harness.approvals.register import Approvals

    with opened_ledger(store, engine) as ledger:
        approvals = Approvals(ledger)
        found = approvals.find(approval)
        token = token or approvals.issue(found, reviewer)
        done = decide(approvals, found, kind, reviewer, token, reason=because, edit=edit)
        send_audit(ledger, store)
    if as_json:
        print_json(done.to_json())
    else:
        out.print(Text(told(done)))


def _correction(path: Path) -> Mapping[str, Any]:
    from goldspan.tracing.errors import InputError

    value = _read(path)
    if not isinstance(value, dict) or not all(isinstance(key, str) for key in value):
        raise InputError(
            "must name the arguments to correct, each with its value",
            where=str(path),
            remedy="such as: amount_usd: 49",
        )
    return value


def _read(path: Path) -> Any:
    from goldspan.tracing.files import parse_yaml, read_text

    text = sys.stdin.read() if str(path) == "-" else read_text(path)
    return parse_yaml(text, path)[0]
