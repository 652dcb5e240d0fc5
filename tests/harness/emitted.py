"""Events as a test sees them, in the order in which they were emitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Emitted(list[tuple[str, dict[str, Any]]]):
    """Where events go."""

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> str:
        known = {key: value for key, value in (attributes or {}).items() if value is not None}
        self.append((name, known))
        return str(len(self))

    def of(self, name: str) -> list[dict[str, Any]]:
        """The attributes of the events of a name."""
        return [attributes for event, attributes in self if event == name]
