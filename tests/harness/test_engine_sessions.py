"""The engine's sessions on PostgreSQL: none holds up the others for long, whatever its process
does."""

from __future__ import annotations

from contextlib import closing

import sqlalchemy
from dbos._dbos import _get_dbos_instance

from goldspan.harness.engine import Engine, EngineConfig
from goldspan.harness.ledger import Ledger
from goldspan.harness.life import Life
from goldspan.harness.result import RunResult
from goldspan.harness.run_spec import RunSpec
from tests.postgres import new_database


async def _none(spec: RunSpec, life: Life) -> RunResult:
    raise AssertionError("nothing is queued")


def test_a_process_that_sleeps_in_a_transaction_loses_its_session() -> None:
    """As the ledger's sessions do: else who takes its runs over waits for its locks."""
    url = new_database()
    with closing(Ledger(url)) as ledger:
        engine = Engine(EngineConfig(url), ledger, _none)
        engine.launch()
        try:
            with _get_dbos_instance()._sys_db.engine.connect() as session:
                setting = sqlalchemy.text("SHOW idle_in_transaction_session_timeout")
                theirs = session.execute(setting).scalar()
        finally:
            engine.close()
        with ledger.transaction() as tx:
            ours = tx.read(str(setting))  # type: ignore[attr-defined]  # no query of its own
    assert [{"idle_in_transaction_session_timeout": theirs}] == ours
