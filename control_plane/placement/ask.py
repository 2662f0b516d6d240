"""What a decision is asked: everything about one session that matters for its place."""

import msgspec

from heliovox.protocol.messages import Place
from shared.policy import Facts
from shared.regions.model import GENERAL


class PlacementAsk(msgspec.Struct, frozen=True):
    """One session that wants a place. Recorded word for word, so that it can be decided again."""

    id: str
    """Of the decision."""
    at_ms: int
    """Milliseconds since 1970, by the centre's clock. Decides which rules are in force."""
    kind: str
    language: str
    model: str | None
    """A recogniser or a voice; None for any."""
    place: Place
    """Where the caller is."""
    draw: float
    """Evenly from 0 up to 1, 1 left out: which of nodes that are as good is taken."""
    place_source: str = "given"
    tenant: str = ""
    data: str = GENERAL
    """The kind of data that it carries."""
    countries: tuple[str, ...] = ()
    """That the caller counts as being in."""
    ramp: float = 0.0
    """Evenly from 0 up to 1, 1 left out: whether a node that recovers stands back this time."""
    without: tuple[str, ...] = ()
    """Nodes to leave out, such as those that refused this very session."""
    order: str = ""
    """The same for all decisions about one session: rounds that nobody gave a seat in, and looks at
    a fleet that was full. Decides nothing; whoever reads records counts sessions by it."""
    may_wait: bool = False
    """Whether whoever asks waits as long as the policy says. Decides nothing either."""
    continues: str = ""
    """The session that goes on, where it is not a new one. Decides nothing either."""
    because: str = ""
    """Why it goes on elsewhere: `resumed`, `moved`, `draining`."""
    came_from: str = ""
    """The node that has it, or had it."""

    @property
    def facts(self) -> Facts:
        """What rules look at."""
        return Facts(self.tenant, self.data, self.language, frozenset(self.countries))
