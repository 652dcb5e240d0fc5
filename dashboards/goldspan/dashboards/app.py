"""The dashboard as a whole: its pages and its navigation, drawn anew for every interaction.

Start it with `goldspan dashboard`, which binds it to this machine and sets the theme.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from goldspan.dashboards import navigation
from goldspan.dashboards.components.boundary import guarded
from goldspan.dashboards.pages import alerts, approvals, cost, experiments, label, overview, traces

FOLDER = Path(__file__).parent
PAGES: tuple[tuple[str, str, str, Callable[[], None]], ...] = (
    (navigation.OVERVIEW, "Overview", ":material/monitoring:", overview.page),
    (navigation.TRACES, "Traces", ":material/account_tree:", traces.page),
    (navigation.EXPERIMENTS, "Experiments", ":material/science:", experiments.page),
    (navigation.LABEL, "Label", ":material/rate_review:", label.page),
    (navigation.APPROVALS, "Approvals", ":material/approval:", approvals.page),
    (navigation.COST, "Cost and tools", ":material/payments:", cost.page),
    (navigation.ALERTS, "Alerts", ":material/notifications:", alerts.page),
)


def main() -> None:
    """Draw the navigation and the current page."""
    st.set_page_config(page_title="Goldspan", page_icon=str(FOLDER / "icon.png"), layout="wide")
    st.html(FOLDER / "components" / "page.css")
    pages = {
        path: st.Page(
            guarded(draw), title=title, icon=icon, url_path=path, default=path == PAGES[0][0]
        )
        for path, title, icon, draw in PAGES
    }
    navigation.register(pages)
    st.navigation(list(pages.values()), position="top").run()
