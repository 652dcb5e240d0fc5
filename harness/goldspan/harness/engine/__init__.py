"""Durable runs on DBOS. Importing this package imports DBOS, and nothing else of Goldspan does."""

from goldspan.harness.engine.config import ENGINE_FORMAT, EngineConfig, enqueue_from_outside
from goldspan.harness.engine.serializer import JsonSerializer
from goldspan.harness.engine.steps import Durable
from goldspan.harness.engine.workflow import Engine, Runner

__all__ = [
    "ENGINE_FORMAT",
    "Durable",
    "Engine",
    "EngineConfig",
    "JsonSerializer",
    "Runner",
    "enqueue_from_outside",
]
