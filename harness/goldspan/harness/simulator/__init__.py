"""A seeded simulator of support-desk traffic, with changes planted for monitors to find."""

from goldspan.harness.simulator.plan import Drift, Plan, Spike, Truth, truth_of
from goldspan.harness.simulator.send import Simulation, earlier_end, last_hour, simulate
from goldspan.harness.simulator.traffic import Traffic, draw

__all__ = [
    "Drift",
    "Plan",
    "Simulation",
    "Spike",
    "Traffic",
    "Truth",
    "draw",
    "earlier_end",
    "last_hour",
    "simulate",
    "truth_of",
]
