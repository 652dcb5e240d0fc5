"""Failures: what is tried again, what is left alone, what a run goes on without."""
