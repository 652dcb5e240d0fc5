"""Events of a run that may live several times: emitted again, stored once.

After a crash the body of a run runs again from its beginning, and emits what it emitted before. An
event that was lost with the process is there then; one that was stored has the same id.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from goldspan.tracing.recorder import Recorder


class Events(Protocol):
    """Where events go; a `Recorder` is one."""

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> str:
        """Emit an event; returns its id."""
        ...


@dataclass
class RunEvents:
    """The events of one run. `segment` is None where nothing replays it: ids are random then."""

    recorder: Recorder
    run_id: str
    segment: int | None = None
    _emitted: Counter[str] = field(default_factory=Counter)

    def event(self, name: str, attributes: Mapping[str, Any] | None = None) -> str:
        """Emit what every life of the run comes by; its id is made of the run, the name and how
        many of that name there were. Returns the id."""
        nth = self._emitted[name]
        self._emitted[name] += 1
        return self._emit(name, attributes, str(nth))

    def of_segment(self, name: str, attributes: Mapping[str, Any] | None = None) -> str:
        """Emit what belongs to this life of the run: that it begins, waits or ends here."""
        return self._emit(name, attributes, f"segment {self.segment}")

    def about(self, subject: str, name: str, attributes: Mapping[str, Any] | None = None) -> str:
        """Emit what happens once to a subject, such as an approval's id, whoever says it."""
        if self.segment is None:
            return self.recorder.event(name, attributes)
        return self.recorder.event(name, attributes, event_id=event_id(name, subject))

    def _emit(self, name: str, attributes: Mapping[str, Any] | None, which: str) -> str:
        if self.segment is None:
            return self.recorder.event(name, attributes)
        known = event_id(self.run_id, name, which)
        return self.recorder.event(name, attributes, event_id=known)


def event_id(*parts: str) -> str:
    """32 hex digits: the same parts, the same event."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
