"""What the engine has to say goes to standard error as it is now, and without what is no news."""

from __future__ import annotations

import logging
import sys

from dbos import error as dbos_error

_engine_log = logging.getLogger("dbos")


class _StandardError(logging.Handler):
    """The engine's own handler keeps the stream of the moment when it was made, which a host may
    have closed since; writing there would end the run."""

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)


def speak_plainly() -> None:
    """Before the engine starts: it adds no handler where there is one."""
    if not _engine_log.handlers:
        handler = _StandardError()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        _engine_log.addHandler(handler)
        _engine_log.propagate = False
    _engine_log.addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """False for what the engine logs, with a traceback, of each run that waits."""
    kind = record.exc_info[0] if record.exc_info else None
    return kind is not dbos_error.DBOSAwaitedWorkflowCancelledError
