"""Durable runs on DBOS. Importing this package imports DBOS, and nothing else of Goldspan does."""

from goldspan.harness.engine.config import ENGINE_FORMAT, EngineConfig
from goldspan.harness.engine.outside import OutsideEngine, QueuedRun, enqueue_from_outside
from goldspan.harness.engine.schedules import apply_schedules
from goldspan.harness.engine.serializer import JsonSerializer
from goldspan.harness.engine.steps import Durable
from goldspan.harness.engine.workflow import Engine, Runner

__all__ = [
    "ENGINE_FORMAT",
    "Durable",
    "Engine",
    "EngineConfig",
    "JsonSerializer",
    "OutsideEngine",
    "QueuedRun",
    "Runner",
    "apply_schedules",
    "enqueue_from_outside",
]
