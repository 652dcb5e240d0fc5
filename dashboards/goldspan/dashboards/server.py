"""Starts the dashboard's web server on this machine, reachable from this machine only."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from goldspan.dashboards.location import STORE_VARIABLE
from goldspan.tracing.errors import ConfigError
from goldspan.tracing.store import Store

HOST = "127.0.0.1"

_THEME: dict[str, dict[str, str]] = {
    "light": {
        "primaryColor": "#9a6b00",
        "backgroundColor": "#ffffff",
        "secondaryBackgroundColor": "#f5f4f0",
        "textColor": "#23241f",
        "borderColor": "#dedcd3",
    },
    "dark": {
        "primaryColor": "#e3b341",
        "backgroundColor": "#14161a",
        "secondaryBackgroundColor": "#1f2228",
        "textColor": "#e6e4dc",
        "borderColor": "#363a42",
    },
}


def check_store(path: str) -> Path:
    """Return the store's absolute path; raises StoreError when it is missing or no store."""
    with Store.open(path, create=False) as store:
        store.rows("SELECT count(*) AS traces FROM traces")
        return store.path


def check_port(port: int) -> int:
    """Return a port that can be listened on (0 asks for any); raises ConfigError otherwise."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the server itself does, or a port that was closed a moment ago would look taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            # Only listening tells a port that another server shares from one that is free.
            probe.listen(1)
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            taken = error.errno == errno.EADDRINUSE
            raise ConfigError(
                f"port {port} is in use by another process"
                if taken
                else f"port {port} may not be used by this user",
                where="--port",
                remedy=f"stop it, or choose another: goldspan dashboard --port {port + 1}"
                if taken
                else "choose one above 1023",
            ) from error
        return int(probe.getsockname()[1])


def url(port: int) -> str:
    """The address that a browser on this machine opens."""
    return f"http://{HOST}:{port}"


def options(port: int, *, open_browser: bool) -> list[str]:
    """Streamlit's options as command-line flags: local only, no statistics, no reloading."""
    flags = {
        "server.address": HOST,
        "server.port": str(port),
        "server.headless": "false" if open_browser else "true",
        "server.fileWatcherType": "none",
        "server.showEmailPrompt": "false",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "viewer",
        "client.showErrorDetails": "type",
        "client.showErrorLinks": "false",
        "runner.magicEnabled": "false",
        "logger.hideWelcomeMessage": "true",
        "logger.level": "warning",
        "global.developmentMode": "false",
        "theme.paddingTop": "0.8rem",
        "theme.paddingBottom": "3rem",
        "theme.metricValueFontSize": "1.6rem",
    }
    for base, colours in _THEME.items():
        flags |= {f"theme.{base}.{key}": value for key, value in colours.items()}
    # A page of another site that resolves to this address must not reach the store.
    hosts = [f"--server.allowedHosts={name}" for name in (HOST, "localhost")]
    return [*(f"--{key}={value}" for key, value in flags.items()), *hosts]


def serve(store: Path, port: int, *, open_browser: bool) -> None:
    """Serve the dashboard for `store` until it is interrupted. Blocks."""
    # Its import takes a second, which nobody should wait for to hear that a port is taken.
    from streamlit.web import cli

    os.environ[STORE_VARIABLE] = str(store)
    script = Path(__file__).parent / "entry" / "streamlit_app.py"
    arguments = ["run", str(script), *options(port, open_browser=open_browser)]
    cli.main(arguments, standalone_mode=False)
