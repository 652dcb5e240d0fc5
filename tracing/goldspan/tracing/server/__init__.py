"""`goldspan serve`: OTLP in, queries out, and the one process that owns the store's file."""
