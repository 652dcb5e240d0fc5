"""Goldspan: harness."""
