"""The practice of the kill switch: an agent that only waits, and what stopping it takes."""

from goldspan.harness.drill.agent import NAME, drill_gateway, drill_specs
from goldspan.harness.drill.measuring import Measured, measured
from goldspan.harness.drill.practice import Drill, DrillResult, own_worker

__all__ = [
    "NAME",
    "Drill",
    "DrillResult",
    "Measured",
    "drill_gateway",
    "drill_specs",
    "measured",
    "own_worker",
]
