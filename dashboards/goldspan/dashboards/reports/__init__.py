"""Reports for people: one run, one batch, or one period, as Markdown, HTML or JSON."""

from __future__ import annotations

from goldspan.dashboards.reports.links import DASHBOARD_URL
from goldspan.dashboards.reports.model import Report
from goldspan.dashboards.reports.rendering import FORMATS, Format, as_json, render
from goldspan.dashboards.reports.writing import make_report, write, write_reports

__all__ = [
    "DASHBOARD_URL",
    "FORMATS",
    "Format",
    "Report",
    "as_json",
    "make_report",
    "render",
    "write",
    "write_reports",
]
