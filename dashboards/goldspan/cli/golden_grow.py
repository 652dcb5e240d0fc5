"""`goldspan golden add | review | synth`: cases from traces, looked at by people, and varied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from goldspan.cli.console import err, out, print_json
from goldspan.cli.golden_extra import needs_evals_extra
from goldspan.cli.plurals import counted
from goldspan.cli.run import MODEL_HELP
from goldspan.cli.store import DEFAULT_STORE, JsonOption, StoreOption

if TYPE_CHECKING:
    from goldspan.evals.synthesis import Synthesized


def register(golden: typer.Typer) -> None:
    """Add the commands."""
    golden.command("add")(add)
    golden.command("review")(review)
    golden.command("synth")(synth)


def add(
    trace_id: Annotated[str, typer.Argument(help="The trace, or the beginning of its id.")],
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="Add it to this file; else it is printed.")
    ] = None,
    store: StoreOption = DEFAULT_STORE,
    as_json: JsonOption = False,
) -> None:
    """Turn a trace into a case for a person to edit. A file only grows: nothing is overwritten."""
    from goldspan.golden.promotion import case_from_trace
    from goldspan.golden.writing import append_case, case_yaml
    from goldspan.tracing.store import Store

    case = case_from_trace(Store.open(store, create=False), trace_id)
    if to is not None:
        append_case(to, case)
    if as_json:
        file = None if to is None else str(to)
        shown = case.model_dump(mode="json", exclude_defaults=True)
        print_json({"file": file, "digest": case.digest, "case": shown})
    elif to is None:
        out.print(Text("cases:\n" + case_yaml(case)), end="")
    else:
        said = f"case {case.id} is in {to}, marked review: keep of its expectations what matters"
        out.print(Text(f"{said} (goldspan golden review {to})"))


def review(
    paths: Annotated[
        list[Path], typer.Argument(help="Files of cases (YAML, JSON lines), or folders of them.")
    ],
    listing: Annotated[bool, typer.Option("--list", help="Only list what waits.")] = False,
    accept: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="Accept this case as it is proposed.")
    ] = None,
    reviewer: Annotated[
        str | None, typer.Option("--as", metavar="NAME", help="Who looks at it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Walk through the cases that wait for review, and each expectation that they propose.

    What is approved is written at once: the mark goes, the reviewer's name comes into the
    provenance, comments and the other cases stay. With --list or --accept nothing is asked.
    """
    import getpass

    from goldspan.cli.golden_review import review_one
    from goldspan.golden import CaseSet, load_cases
    from goldspan.tracing.errors import ConfigError

    with needs_evals_extra():
        from goldspan.golden.review import accept as accept_case
        from goldspan.golden.review import waiting

    if accept:
        if reviewer is None:
            raise ConfigError("--accept needs --as NAME", remedy="say who looked at it")
        done = [accept_case(paths, case_id, reviewer) for case_id in accept]
        digest = load_cases(paths).digest
        if as_json:
            print_json({"accepted": [case.id for case in done], "digest": digest})
        else:
            said = f"{', '.join(case.id for case in done)} accepted by {reviewer}"
            out.print(Text(f"{said}; digest of the set {digest[:12]}"))
        return
    found: CaseSet = load_cases(paths)
    left = waiting(found)
    if listing or as_json:
        if as_json:
            rows = [{"case": p.case.id, "path": p.path, "line": p.line()} for p in left]
            print_json({"waiting": rows, "cases": len(found.cases), "digest": found.digest})
            return
        for placed in left:
            out.print(Text(f"{placed.path}:{placed.line()}: {placed.case.id}"))
        out.print(f"{counted(len(left), 'case')} of {len(found.cases)} to review")
        return
    approved = 0
    for number, placed in enumerate(left, 1):
        out.rule(Text(f"{number} of {len(left)}"))
        answer = review_one(placed, reviewer or getpass.getuser())
        approved += answer == "approve"
        if answer == "quit":
            break
    digest = load_cases(paths).digest if left else found.digest
    rest = len(left) - approved
    out.print(f"{approved} approved, {rest} still to review; digest of the set {digest[:12]}")


def synth(
    case_id: Annotated[str, typer.Argument(metavar="ID", help="The case to vary.")],
    paths: Annotated[
        list[Path], typer.Argument(help="Files of cases (YAML, JSON lines), or folders of them.")
    ],
    model: Annotated[str, typer.Option(help=MODEL_HELP)],
    count: Annotated[int, typer.Option("--count", "-n", min=1, max=50, help="How many.")] = 5,
    style: Annotated[
        str, typer.Option(help="What to vary: paraphrase, edge, adversarial, or your own words.")
    ] = "paraphrase",
    base_url: Annotated[str | None, typer.Option(help="Any OpenAI-compatible server.")] = None,
    cassette: Annotated[Path | None, typer.Option(help="A file of recorded answers.")] = None,
    record: Annotated[bool, typer.Option("--record", help="Record into the cassette.")] = False,
    to: Annotated[
        Path | None, typer.Option("--out", "-o", help="Add them to this file; else printed.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seeds the model's sampling.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Let a model vary a case. What it writes waits for review, with model and prompt named.

    With a cassette and without --record the recorded answer is replayed. Near duplicates of cases
    that are there are left out, and counted.
    """
    import asyncio
    from contextlib import aclosing

    from goldspan.golden import CaseSet, load_cases
    from goldspan.golden.writing import append_case, case_yaml
    from goldspan.harness.models.gateway import Mode, ModelGateway
    from goldspan.tracing.files import check_target

    with needs_evals_extra():
        from goldspan.evals.synthesis import synthesize

    found = load_cases(paths)
    (case,) = found.select(ids=[case_id])
    if to is not None:
        check_target(to)
    known = [*found.cases, *(load_cases([to]).cases if to is not None and to.exists() else [])]
    mode = Mode.LIVE if cassette is None else Mode.RECORD if record else Mode.REPLAY
    gateway = ModelGateway.make(mode, cassette=cassette, model=model, base_url=base_url)

    async def ask() -> Synthesized:
        async with aclosing(gateway):
            return await synthesize(
                case, known, gateway=gateway, model=model, count=count, style=style, seed=seed
            )

    made = asyncio.run(ask())
    if to is not None:
        for each in made.cases:
            append_case(to, each)
    if as_json:
        shown = [each.model_dump(mode="json", exclude_defaults=True) for each in made.cases]
        left = {"duplicates": made.duplicates, "refused": made.refused}
        about = {"file": None if to is None else str(to), "set_digest": found.digest, **left}
        print_json({**about, "digest": CaseSet.of(made.cases).digest, "cases": shown})
        return
    if to is None and made.cases:
        out.print(Text("cases:\n" + "\n".join(map(case_yaml, made.cases))), end="")
    where = "" if to is None else f" in {to}"
    said = f"{counted(len(made.cases), 'variation')}{where}, all to review"
    lost = f"{counted(made.duplicates, 'near duplicate')} and {made.refused} unusable left out"
    err.print(Text(f"{said}; {lost}; digest {CaseSet.of(made.cases).digest[:12]}"))
