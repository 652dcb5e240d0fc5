"""Tracing: record agents as OpenTelemetry GenAI spans, take others' telemetry in, keep it."""

from goldspan.tracing.errors import GoldspanError
from goldspan.tracing.instrument import Telemetry, instrument
from goldspan.tracing.recorder import Recorder
from goldspan.tracing.store import Store

__all__ = ["GoldspanError", "Recorder", "Store", "Telemetry", "instrument"]
