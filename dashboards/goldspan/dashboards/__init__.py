"""Goldspan: dashboards."""
