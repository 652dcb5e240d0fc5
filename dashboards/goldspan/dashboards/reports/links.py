"""Addresses of the dashboard's pages, as its navigation writes them."""

from __future__ import annotations

from urllib.parse import urlencode, urlsplit

from goldspan.dashboards.reports.model import Evidence
from goldspan.tracing.errors import ConfigError

DASHBOARD_URL = "http://127.0.0.1:8501"


def checked_url(url: str) -> str:
    """The dashboard's address without a slash at its end. Raises ConfigError if it is none."""
    try:
        parts = urlsplit(url)
        wrong = parts.scheme not in {"http", "https"} or not parts.hostname
    except ValueError:
        wrong = True
    if wrong or set(url) & set(" \t\r\n()<>\"'`|\\?#"):
        raise ConfigError(
            f"{url!r} is no address of a dashboard",
            where="--dashboard-url",
            remedy=f"give one like {DASHBOARD_URL}",
        )
    return url.rstrip("/")


def trace_url(base: str, evidence: Evidence) -> str:
    """The page of a trace, opened on the span where one is named."""
    asked = {"trace": evidence.trace_id}
    if evidence.span_id:
        asked["span"] = evidence.span_id
    return f"{base}/traces?{urlencode(asked)}"


def experiment_url(base: str, experiment_id: str) -> str:
    """The page of an experiment."""
    return f"{base}/experiments?{urlencode({'experiment': experiment_id})}"
