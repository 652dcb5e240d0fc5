"""Goldspan: tracing."""
