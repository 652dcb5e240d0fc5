"""Normalisers: what a span of each emitter's dialect says, as typed columns. One file a dialect."""
