"""A gate's result for people and machines."""

from goldspan.evals.presentation.files import render_json, render_junit
from goldspan.evals.presentation.markdown import render_markdown
from goldspan.evals.presentation.terminal import render_terminal

__all__ = ["render_json", "render_junit", "render_markdown", "render_terminal"]
