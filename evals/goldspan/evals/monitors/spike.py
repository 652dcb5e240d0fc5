"""Cost spikes: in which hours did a run cost several times what it usually does?

Costs are skewed and have outliers, so the rule works on logarithms and takes its baseline and scale
from median and MAD (Hampel, "The influence curve and its role in robust estimation", JASA 69, 1974;
1.4826 makes the MAD estimate a normal standard deviation): a spike within the reference window
does not hide itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from goldspan.evals.monitors.hourly import Floats, Ints

MIN_SCALE = 0.05  # of log cost: prices and token counts never repeat to the cent
_MAD_TO_SD = 1.4826


@dataclass(frozen=True)
class SpikeSettings:
    """`factor` times the baseline is a spike, in blocks of at least `min_runs` runs.

    Quiet hours are joined to blocks of at most `max_block_hours`; blocks that are still too small
    are not measured. Spikes less than `merge_hours` apart are one.
    """

    factor: float = 4.0
    min_runs: int = 3
    max_block_hours: int = 6
    merge_hours: int = 6
    false_alarm_days: float = 365.0


@dataclass(frozen=True)
class Blocks:
    """Stretches of whole hours (since the epoch) with their runs and mean cost, in order."""

    start: Ints
    end: Ints
    runs: Ints
    usd_per_run: Floats

    def __len__(self) -> int:
        return len(self.start)


@dataclass(frozen=True)
class Spike:
    """One spike, from hour `started` to hour `ended` (None if it reaches the end of the data).

    `value` and `baseline` are USD per run.
    """

    started: int
    ended: int | None
    value: float
    baseline: float
    runs: int


@dataclass(frozen=True)
class SpikesFound:
    """The spikes of a window, and what they were measured with.

    `ratio` is the multiple of the baseline that a block had to reach: the factor, or more where
    costs vary so much that the factor alone would alarm too often.
    """

    spikes: tuple[Spike, ...]
    baseline: float
    scale: float
    ratio: float
    blocks: int
    runs: int


def blocks_of(hour: Ints, usd: Floats, settings: SpikeSettings) -> Blocks:
    """Runs joined to blocks with enough of them. Both arrays have one entry a run, in any order."""
    hours, place = np.unique(hour, return_inverse=True)
    runs = np.bincount(place, minlength=len(hours))
    total = np.bincount(place, weights=usd, minlength=len(hours))
    rows: list[tuple[int, int, int, float]] = []
    start, count, cost = 0, 0, 0.0
    for at, more, spent in zip(hours.tolist(), runs.tolist(), total.tolist(), strict=True):
        if count and at - start >= settings.max_block_hours:
            count, cost = 0, 0.0
        if not count:
            start = at
        count, cost = count + more, cost + spent
        if count >= settings.min_runs:
            rows.append((start, at + 1, count, cost / count))
            count, cost = 0, 0.0
    columns = list(zip(*rows, strict=True)) if rows else [(), (), (), ()]
    return Blocks(
        np.array(columns[0], dtype=np.int64),
        np.array(columns[1], dtype=np.int64),
        np.array(columns[2], dtype=np.int64),
        np.array(columns[3], dtype=np.float64),
    )


def find_spikes(
    reference: Blocks, watched: Blocks, settings: SpikeSettings | None = None
) -> SpikesFound:
    """Every spike in the blocks watched, against the reference; neither may be empty.

    Blocks of free runs (cost 0) count as the cheapest there are.
    """
    settings = settings or SpikeSettings()
    usual = _log(reference.usd_per_run)
    centre = float(np.median(usual))
    scale = max(_MAD_TO_SD * float(np.median(np.abs(usual - centre))), MIN_SCALE)
    days = max((int(watched.end[-1]) - int(watched.start[0])) / 24, 1.0)
    alarms = max(settings.false_alarm_days * len(watched) / days, 2.0)
    limit = max(np.log(settings.factor), NormalDist().inv_cdf(1 - 1 / alarms) * scale)
    flagged = np.flatnonzero(_log(watched.usd_per_run) - centre >= limit)
    groups: list[list[int]] = []
    for index in flagged.tolist():
        near = groups and watched.start[index] - watched.end[groups[-1][-1]] < settings.merge_hours
        if near:
            groups[-1].append(index)
        else:
            groups.append([index])
    spikes = []
    for group in groups:
        runs = int(watched.runs[group].sum())
        spikes.append(
            Spike(
                started=int(watched.start[group[0]]),
                ended=int(watched.end[group[-1]]) if group[-1] < len(watched) - 1 else None,
                value=float(watched.usd_per_run[group] @ watched.runs[group]) / runs,
                baseline=float(np.exp(centre)),
                runs=runs,
            )
        )
    return SpikesFound(
        spikes=tuple(spikes),
        baseline=float(np.exp(centre)),
        scale=scale,
        ratio=float(np.exp(limit)),
        blocks=len(watched),
        runs=int(watched.runs.sum()),
    )


def _log(usd: Floats) -> Floats:
    found: Floats = np.log(np.maximum(usd, 1e-9))
    return found
