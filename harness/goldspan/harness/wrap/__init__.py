"""Guards for the agents and tools of other frameworks."""

from goldspan.harness.wrap.tools import Policy, guard

__all__ = ["Policy", "guard"]
