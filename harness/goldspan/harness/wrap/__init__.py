"""Guards for the agents and tools of other frameworks."""

from goldspan.harness.wrap.current import CurrentCall, current_call
from goldspan.harness.wrap.tools import Policy, guard

__all__ = ["CurrentCall", "Policy", "current_call", "guard"]
