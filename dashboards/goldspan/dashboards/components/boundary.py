"""What a page says when it fails, and what an empty store says."""

from __future__ import annotations

import functools
import logging
import shlex
from collections.abc import Callable

import streamlit as st

from goldspan.dashboards.location import store_path
from goldspan.tracing.errors import GoldspanError

_log = logging.getLogger(__name__)


def guarded(draw: Callable[[], None]) -> Callable[[], None]:
    """Return the page so that an error is a message on it; the log has the traceback."""

    @functools.wraps(draw)
    def page() -> None:
        try:
            draw()
        except GoldspanError as error:
            _say("This page cannot be shown", str(error))
        except Exception as error:  # noqa: BLE001  the boundary: no traceback on a page
            _log.exception("page %s failed", draw.__module__)
            _say("This page failed", f"{type(error).__name__}: {error}")

    return page


def nothing_yet(what: str, *steps: tuple[str, str]) -> None:
    """Say that there is nothing to show yet, and what to do next: pairs of advice and command."""
    with st.container(border=True):
        st.markdown(f"**{what}**")
        for advice, command in steps:
            st.caption(advice)
            st.code(command, language="sh")
        st.caption("The store shown here:")
        st.code(store_path(), language=None)


def empty_store(what: str) -> None:
    """Say that the store holds no traces yet, and the three ways to fill it."""
    store = store_path()
    nothing_yet(
        what,
        (
            "Try it on a fortnight of simulated traffic:",
            f"goldspan simulate --store {shlex.quote(store)}",
        ),
        (
            "Load saved OTLP bodies into this store:",
            f"goldspan ingest --store {shlex.quote(store)} FILE...",
        ),
        (
            "Or record your own agent, in Python:",
            "from goldspan.tracing.instrument import instrument\n"
            f"telemetry = instrument(store={store!r})",
        ),
    )


def _say(title: str, text: str) -> None:
    st.error(f"**{title}.** The details below say what was wrong.", icon=":material/error:")
    st.code(text, language=None, wrap_lines=True)
