"""What a final answer must pass before a run is completed: artifacts, citations, the goal."""

from goldspan.harness.final.citations import CitationGate, CitePolicy
from goldspan.harness.final.gates import AnswerGate, ArtifactGate, Seen
from goldspan.harness.final.goal import Condition, GoalGate
from goldspan.harness.final.passing import FinalGates
from goldspan.harness.final.policy import FinalPolicy

__all__ = [
    "AnswerGate",
    "ArtifactGate",
    "CitationGate",
    "CitePolicy",
    "Condition",
    "FinalGates",
    "FinalPolicy",
    "GoalGate",
    "Seen",
]
