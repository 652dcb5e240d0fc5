"""Goldspan: evals."""
