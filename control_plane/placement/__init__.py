"""Who gets which node, and why."""

from control_plane.placement.ask import PlacementAsk
from control_plane.placement.decide import decide
from control_plane.placement.decision import Candidate, Decision, Outcome
from control_plane.placement.explain import explain
from control_plane.placement.reasons import Reason
from control_plane.placement.refusal import refusal

__all__ = [
    "Candidate", "Decision", "Outcome", "PlacementAsk", "Reason", "decide", "explain", "refusal",
]  # fmt: skip
