"""Where commands write: people read `out`, errors go to `err`, machines get JSON."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from rich.console import Console

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """Write one JSON document to standard output, with times and paths as strings."""
    write(json.dumps(value, default=str, ensure_ascii=False, indent=2) + "\n")


def write(text: str) -> None:
    """Write text as it is to standard output, at once, so that a full disk is no late surprise."""
    if sys.stdout is not None:  # a caller may have closed it
        sys.stdout.write(text)
        sys.stdout.flush()


def tell_undelivered_once() -> None:
    """For commands that raise what telemetry failed on: the log is not to say it as well."""
    logging.getLogger("goldspan.tracing.exporters").addHandler(logging.NullHandler())
