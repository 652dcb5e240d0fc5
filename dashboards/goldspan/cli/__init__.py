"""The command line. `goldspan --help` imports nothing heavier than Typer and Rich."""

from goldspan.cli.app import main

__all__ = ["main"]
