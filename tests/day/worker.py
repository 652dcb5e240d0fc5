"""`goldspan` with the day's model; nothing else of it is replaced.

python -m tests.day.worker worker OPTIONS
"""

from __future__ import annotations

from goldspan.cli import main
from goldspan.harness.models.gateway import Mode, ModelGateway
from tests.day.script import Script

if __name__ == "__main__":
    # The one part that is not real, in the place of the model that the version names.
    ModelGateway.make = lambda *_, **__: ModelGateway(Mode.LIVE, None, Script())  # type: ignore[method-assign]  # as above
    main()
