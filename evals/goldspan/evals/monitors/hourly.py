"""Runs summed up by the hour: the arrays that the statistics take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
HOUR_S = 3600


@dataclass(frozen=True)
class HourlyCalls:
    """Tool calls and runs of each hour that had a run. `hour` counts hours since the epoch."""

    hour: Ints
    runs: Ints
    calls: Ints

    def __len__(self) -> int:
        return len(self.hour)

    def between(self, first: int, before: int) -> HourlyCalls:
        """Those of the hours from `first` up to, and without, `before`."""
        kept = (self.hour >= first) & (self.hour < before)
        return HourlyCalls(self.hour[kept], self.runs[kept], self.calls[kept])


def by_hour(hour: Ints, tool_calls: Ints) -> HourlyCalls:
    """Sum up runs by hour. Both arrays have one entry a run: its hour and its tool calls."""
    hours, place = np.unique(hour, return_inverse=True)
    runs = np.bincount(place, minlength=len(hours))
    calls = np.bincount(place, weights=tool_calls, minlength=len(hours))
    return HourlyCalls(hours.astype(np.int64), runs.astype(np.int64), calls.astype(np.int64))
