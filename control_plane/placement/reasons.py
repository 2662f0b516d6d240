"""Why a node did, or did not, get a session: the codes that a decision holds for every node."""

from enum import IntEnum

from control_plane.fleet.states import State


class Reason(IntEnum):
    """Sieves in the order in which they are applied; a node's reason is the first that it failed.

    The names in lower case are the stable codes that callers and operators read.
    """

    ABLE = 0
    """Only while deciding: no sieve has stopped it."""
    NOT_ALLOWED = 1
    """The policy does not allow its region."""
    NO_KIND = 2
    """It does not do this kind of session."""
    NO_LANGUAGE = 3
    """It does not know the language."""
    NO_MODEL = 4
    """It does not have the model or voice that was asked for by name."""
    DEAD = 5
    """No report for 5 s."""
    CONFLICT = 6
    """Two boots report under its name."""
    STALE = 7
    """No report for 3 s, or no answer when it was asked for a seat."""
    UNWELL = 8
    """Says that a part of it is not well."""
    UNREACHABLE = 9
    """It reports, and does not answer where callers come in."""
    DRAINING = 10
    """Takes no new sessions."""
    NOT_HOT = 11
    """Warm or cold: not serving."""
    FULL = 12
    """No further session of the kind fits."""
    EXCLUDED = 13
    """Left out by who asked: it has refused this very session already."""
    NOT_OVERFLOW = 14
    """Not in the home region, and the policy's overflow does not go there."""
    TOO_FAR = 15
    """Overflow may go there, but it would add more to the round trip than the policy bears."""
    TOO_COSTLY = 16
    """Likewise, more to what a node's hour costs."""
    OVERFLOW_NOT_NEEDED = 17
    """Outside the home region, which has room."""
    HOME_SPARED = 18
    """Could have taken the session at home, where overflow has begun before all is full."""
    RAMPING = 19
    """Could have taken the session; it failed lately, stood back, and another took it."""
    RANKED_LOWER = 20
    """Could have taken the session; another could take it better."""
    WINNER = 21
    """Got it."""

    @property
    def code(self) -> str:
        """As it is written everywhere."""
        return self.name.lower()


OF_STATE: dict[State, Reason] = {
    State.READY: Reason.ABLE,
    State.DRAINING: Reason.DRAINING,
    State.UNWELL: Reason.UNWELL,
    State.STALE: Reason.STALE,
    State.CONFLICT: Reason.CONFLICT,
    State.DEAD: Reason.DEAD,
    State.UNREACHABLE: Reason.UNREACHABLE,
}
OFFERS_NOT = (Reason.NOT_ALLOWED, Reason.NO_KIND, Reason.NO_LANGUAGE, Reason.NO_MODEL)
"""Reasons that waiting does not mend."""
RANKED = (
    Reason.WINNER, Reason.RANKED_LOWER, Reason.OVERFLOW_NOT_NEEDED, Reason.HOME_SPARED,
    Reason.RAMPING,
)  # fmt: skip
"""Reasons of nodes that could have taken the session."""


CODES = tuple(Reason(at).code for at in range(len(Reason)))
"""By a reason's number."""
