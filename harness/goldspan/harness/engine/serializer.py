"""What the engine writes into its database."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from dbos import Serializer


class JsonSerializer(Serializer):
    """JSON in the engine's database, never pickle: data that is read back makes no objects.

    Exceptions become their name and text, times ISO 8601: a schedule's time that could not be
    written would keep the schedule from firing, with a logged warning and no more.
    """

    def name(self) -> str:
        """The name that stands beside each value."""
        return "goldspan_json"

    def serialize(self, data: Any) -> str:
        """As JSON."""
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"), default=_told)

    def deserialize(self, serialized_data: str) -> Any:
        """What was written; an exception as a RuntimeError that says the same."""
        value = json.loads(serialized_data)
        if isinstance(value, dict) and value.keys() == {"__error__", "message"}:
            return RuntimeError(f"{value['__error__']}: {value['message']}")
        return value


def _told(value: Any) -> Any:
    if isinstance(value, BaseException):
        return {"__error__": type(value).__name__, "message": str(value)}
    if isinstance(value, date):
        return value.isoformat()
    return str(value)
