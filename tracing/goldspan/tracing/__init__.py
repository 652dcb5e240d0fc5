"""Tracing: record agents as OpenTelemetry GenAI spans, take others' telemetry in, keep it.

What this module offers is imported when it is first asked for: what needs only errors or names, as
the kill switch does, does not wait for pandas and DuckDB.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from goldspan.tracing.errors import GoldspanError
    from goldspan.tracing.instrument import Telemetry, instrument
    from goldspan.tracing.recorder import Recorder
    from goldspan.tracing.store import Store

_PLACES = {
    "GoldspanError": "goldspan.tracing.errors",
    "Recorder": "goldspan.tracing.recorder",
    "Store": "goldspan.tracing.store",
    "Telemetry": "goldspan.tracing.instrument",
    "instrument": "goldspan.tracing.instrument",
}
__all__ = ["GoldspanError", "Recorder", "Store", "Telemetry", "instrument"]


class _Offers(ModuleType):
    """This module. Its names are found here, whichever of its submodules was imported before: the
    function `instrument` and the submodule that holds it have one name."""

    def __getattribute__(self, name: str) -> Any:
        if name in _PLACES:
            return getattr(importlib.import_module(_PLACES[name]), name)
        return super().__getattribute__(name)


sys.modules[__name__].__class__ = _Offers
