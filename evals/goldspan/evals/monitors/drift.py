"""Tool-call drift: when did the number of tool calls per run change for good, and to what?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from goldspan.evals.monitors.cusum import Alarm, first_alarm, tail_exponent, threshold_for
from goldspan.evals.monitors.hourly import Floats, HourlyCalls
from goldspan.evals.monitors.season import Season, fit_season, residuals_of


@dataclass(frozen=True)
class DriftSettings:
    """What the chart is tuned for: a relative `shift`, and the mean days between false alarms."""

    shift: float = 0.25
    false_alarm_days: float = 365.0
    rebaseline_hours: int = 48


@dataclass(frozen=True)
class Shift:
    """One change of level. Hours are since the epoch; rates are tool calls per run.

    `started` is the estimated change point, `detected` the hour of the alarm, `ended` the hour from
    which the old level holds again (None while it does not). `baseline` is what was expected in the
    same hours.
    """

    started: int
    detected: int
    ended: int | None
    value: float
    baseline: float
    runs: int


@dataclass(frozen=True)
class DriftFound:
    """The shifts of a window, and what they were measured with."""

    shifts: tuple[Shift, ...]
    baseline: float
    dispersion: float
    thresholds: tuple[float, float]
    hours: int
    runs: int


@dataclass(frozen=True)
class _Level:
    """A factor on the season, as a logarithm, with its standard error."""

    log: float
    error: float


def find_shifts(
    reference: HourlyCalls, watched: HourlyCalls, settings: DriftSettings | None = None
) -> DriftFound:
    """Every change of level in the hours watched, against the reference; neither may be empty.

    After a change the level is measured anew over `rebaseline_hours`, and watched from there, so
    one cause raises one alarm. A change back to the level before ends the shift.
    """
    settings = settings or DriftSettings()
    season = fit_season(reference)
    dispersion = season.dispersion
    original = _Level(0.0, season.level_error(watched))
    near = np.log1p(settings.shift) / 2
    level, rest, shifts = original, watched, list[Shift]()
    first_thresholds = _thresholds(season, reference, watched, original, settings)
    while len(rest):
        thresholds = _thresholds(season, reference, rest, level, settings)
        up, down = _expected_shifts(season, rest, level, settings)
        alarm = first_alarm(residuals_of(rest, season, level.log), up, down, thresholds)
        if alarm is None:
            break
        detected = int(rest.hour[alarm.index])
        settled = detected + settings.rebaseline_hours
        seen = rest.between(int(rest.hour[0]), settled)
        peak, over = _peak(alarm, len(seen))
        change = _change_point(season, level, seen, peak, alarm.direction)
        after = rest.between(change, settled)
        new = _measured(season, after)
        ongoing = shifts[-1] if shifts and shifts[-1].ended is None else None
        if over:
            shifts.append(Shift(change, detected, int(rest.hour[peak]) + 1, 0.0, 0.0, 0))
        elif ongoing is not None and abs(new.log - original.log) < near:
            shifts[-1] = replace(ongoing, ended=change)
            level = original
        else:
            if ongoing is None or abs(new.log - level.log) >= near:
                if ongoing is not None:
                    shifts[-1] = replace(ongoing, ended=change)
                shifts.append(Shift(change, detected, None, 0.0, 0.0, 0))
            level, season = new, _dispersed(season, after, new)
        rest = rest.between(settled, int(watched.hour[-1]) + 1)
    return DriftFound(
        shifts=tuple(_valued(season, watched, shift) for shift in shifts),
        baseline=float(watched.runs @ season.rate(watched.hour) / watched.runs.sum()),
        dispersion=dispersion,
        thresholds=first_thresholds,
        hours=len(watched),
        runs=int(watched.runs.sum()),
    )


def _peak(alarm: Alarm, seen: int) -> tuple[int, bool]:
    """Where the chart is highest among the first `seen` hours, and whether it is over by then.

    It is over when the evidence against the change has become as strong as an alarm asks for.
    """
    peak = alarm.index + int(np.argmax(alarm.path[alarm.index : seen]))
    fallen = alarm.path[peak] - alarm.path[seen - 1]
    return peak, bool(fallen > alarm.threshold or alarm.path[seen - 1] == 0)


def _change_point(
    season: Season, level: _Level, data: HourlyCalls, peak: int, direction: int
) -> int:
    """The likeliest hour of the change, when the level after it is not known.

    It maximises the Poisson likelihood ratio of the hours from it up to the chart's peak (Hinkley,
    "Inference about the change-point in a sequence of random variables", Biometrika 57, 1970).
    """
    expected = data.runs * season.rate(data.hour) * np.exp(level.log)
    calls = np.cumsum(data.calls[: peak + 1][::-1])[::-1].astype(np.float64)
    sums = np.cumsum(expected[: peak + 1][::-1])[::-1]
    gain = calls * np.log(np.maximum(calls, 0.5) / sums) - (calls - sums)
    gain[np.sign(calls - sums) != direction] = -np.inf
    return int(data.hour[int(np.argmax(gain))])


def _expected_shifts(
    season: Season, data: HourlyCalls, level: _Level, settings: DriftSettings
) -> tuple[Floats, Floats]:
    """By how much each residual moves when the rate goes up, or down, by the relative shift."""
    expected = data.runs * season.rate(data.hour) * np.exp(level.log)
    unit = 2 * np.sqrt(expected / season.dispersion)
    return unit * (np.sqrt(1 + settings.shift) - 1), unit * (1 - np.sqrt(1 - settings.shift))


def _thresholds(
    season: Season,
    reference: HourlyCalls,
    data: HourlyCalls,
    level: _Level,
    settings: DriftSettings,
) -> tuple[float, float]:
    """Thresholds of the upward and the downward chart, each with half of the false alarms."""
    days = max((int(data.hour[-1]) - int(data.hour[0]) + 1) / 24, 1.0)
    steps = 2 * settings.false_alarm_days * len(data) / days
    residuals = residuals_of(reference, season)
    tails = _expected_shifts(season, reference, _Level(0.0, 0.0), settings)
    expected = data.runs * season.rate(data.hour) * np.exp(level.log)
    moved = float(np.sqrt(np.mean(expected / season.dispersion))) * level.error
    variance_error = float(np.sqrt(2 / season.spare))
    found = []
    for direction, shifts, tail in zip(
        (1, -1), _expected_shifts(season, data, level, settings), tails, strict=True
    ):
        typical = float(np.sqrt(np.mean(shifts**2)))
        height = threshold_for(steps, typical, moved / typical, variance_error)
        found.append(height / tail_exponent(direction * residuals, tail))
    return found[0], found[1]


def _measured(season: Season, data: HourlyCalls) -> _Level:
    expected = float(data.runs @ season.rate(data.hour))
    calls = max(float(data.calls.sum()), 0.5)
    return _Level(float(np.log(calls / expected)), float(np.sqrt(season.dispersion / calls)))


def _dispersed(season: Season, data: HourlyCalls, level: _Level) -> Season:
    """The season with the dispersion of the new level, where that is larger."""
    residuals = residuals_of(data, season, level.log)
    spare = max(len(data) - 1, 1)
    ratio = max(float(residuals @ residuals) / spare, 1.0)
    return replace(season, dispersion=season.dispersion * ratio)


def _valued(season: Season, watched: HourlyCalls, shift: Shift) -> Shift:
    """The shift with the rates of all its hours: those before the alarm alone exaggerate."""
    last = int(watched.hour[-1]) + 1 if shift.ended is None else shift.ended
    during = watched.between(shift.started, max(last, shift.started + 1))
    runs = float(during.runs.sum())
    return replace(
        shift,
        value=float(during.calls.sum()) / runs,
        baseline=float(during.runs @ season.rate(during.hour)) / runs,
        runs=int(runs),
    )
