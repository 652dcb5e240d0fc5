"""How commands open the engine's database, and send what changes in it to the store."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from goldspan.cli.console import err, tell_undelivered_once

if TYPE_CHECKING:
    from goldspan.harness.ledger import Ledger


@contextmanager
def opened_ledger(store: Path, engine: str | None) -> Iterator[Ledger]:
    """The ledger of the runs whose telemetry is in `store`. Raises `ConfigError` where no run has
    made one yet: a command that only looks makes none."""
    from goldspan.harness.ledger import Ledger, default_url
    from goldspan.harness.operation.scrubbing import scrub_events
    from goldspan.tracing.errors import ConfigError

    url = engine or default_url(store)
    file = Path(url.removeprefix("sqlite:///"))
    if url.startswith("sqlite:///") and not file.exists():
        raise ConfigError(
            "there is no engine's database: no durable run was started here",
            where=str(file),
            remedy="give --store or --engine of the runs",
        )
    with closing(Ledger(url, scrub=scrub_events(store))) as ledger:
        yield ledger


def send_audit(ledger: Ledger, store: Path) -> None:
    """Send what waits in the outbox to the store. What cannot be sent now is said, and waits on:
    the decision stands."""
    from goldspan.harness.operation.outbox import drain
    from goldspan.tracing.errors import GoldspanError
    from goldspan.tracing.instrument import instrument

    tell_undelivered_once()
    try:
        drain(ledger, lambda: instrument(store=store, service_name="goldspan"))
    except GoldspanError as error:
        err.print(Text(f"done, but the store has no event of it yet: {error}", style="yellow"))
