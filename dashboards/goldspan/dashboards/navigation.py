"""The pages' addresses, and how one page opens another."""

from __future__ import annotations

from typing import NoReturn
from urllib.parse import urlencode

import streamlit as st

OVERVIEW = "overview"
TRACES = "traces"
EXPERIMENTS = "experiments"
LABEL = "label"
COST = "cost"
ALERTS = "alerts"
APPROVALS = "approvals"

_PAGES = "goldspan.pages"


def register(pages: dict[str, st.Page]) -> None:
    """Remember this session's pages, by address, so that any page can open another."""
    st.session_state[_PAGES] = pages


def href(page: str, **parameters: str | None) -> str:
    """The relative address of a page with its query parameters; those that are None are left out.

    Relative, because the dashboard may stand behind a proxy below a path.
    """
    given = {key: value for key, value in parameters.items() if value}
    return f"{page}?{urlencode(given)}" if given else page


def open_page(page: str, **parameters: str | None) -> NoReturn:
    """Leave this page for another one, with its query parameters."""
    given = {key: value for key, value in parameters.items() if value}
    st.switch_page(st.session_state[_PAGES][page], query_params=given)


def parameter(name: str) -> str | None:
    """A query parameter of the current address, or None."""
    value = st.query_params.get(name)
    return value or None


def set_parameters(**parameters: str | None) -> NoReturn:
    """Change query parameters of the current page (None removes one) and draw it again."""
    for key, value in parameters.items():
        if value:
            st.query_params[key] = value
        else:
            st.query_params.pop(key, None)
    st.rerun()
