"""The dashboard as another process's child: `python -m goldspan.dashboards.child STORE PORT`."""

from __future__ import annotations

import os
import resource
import sys
import threading
from pathlib import Path

from goldspan.dashboards import server


def main() -> None:
    """Serve until the parent ends, however it ends: then standard input is at its end."""
    store, port = sys.argv[1:]
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))  # the parent's ceiling is its own
    threading.Thread(target=_end_with_parent, daemon=True).start()
    server.serve(Path(store), int(port), open_browser=False)


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
