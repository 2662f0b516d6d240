"""Being told of one's place in line, whoever keeps it."""

from collections.abc import Callable
from typing import Literal, cast

from heliovox.protocol.control import Basis, Estimate, InLine
from heliovox.protocol.messages import Waiting

Waits = Callable[[InLine], None]
"""Told of the place in line when there is one, and of what changes."""
_Source = Literal["assumed", "kind", "tenant", "recent"]


def in_line_of(told: Waiting) -> InLine:
    """What a node tells, as a control plane tells it; the wait's name is the node's own."""
    estimate = None
    if told.low_s is not None and told.high_s is not None:
        basis = Basis(cast("_Source", told.source or "assumed"), told.sessions, 0)
        chance = 1.0 if told.chance is None else told.chance
        estimate = Estimate(told.low_s, told.high_s, told.confidence or 0.0, basis, chance)
    return InLine("", told.expires_s, told.position, estimate, told.version)
