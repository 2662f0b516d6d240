"""The fleet at one moment: frozen columns, numbered. Equal numbers of one fleet, equal views."""

import hashlib

import msgspec
import numpy as np
from numpy.typing import NDArray

from control_plane.fleet.loads import Open
from control_plane.fleet.roster import I32, U8, Roster
from control_plane.fleet.states import TIERS, State

F64 = NDArray[np.float64]


def standing_of(state: U8, tier: U8) -> U8:
    """A code for every state and tier: for tables that are looked up by both."""
    return state * np.uint8(len(TIERS)) + tier


class FleetView(msgspec.Struct, frozen=True, eq=False):
    """Every node as decisions see it. Column entries belong to `roster.names`, in that order."""

    number: int
    """Rises by one whenever something that decisions depend on changed."""
    roster: Roster
    settled: bool
    """False in the first seconds of a fleet, when nodes may not have reported yet."""
    state: U8
    """State codes."""
    tier: U8
    """Indices into `states.TIERS`."""
    fits: I32
    """Sessions that still fit: a row for each of `roster.kinds`, seats asked for taken off."""
    held: I32
    """Live sessions and seats held for tickets, as last reported."""
    limit: I32
    """Sessions at most."""
    step_p95_ms: F64
    queue: I32
    """Chunks that wait for the device."""
    history_ms: F64
    """What lapses lately cost: `past.history_ms`."""
    share: F64
    """Less than 1 of nodes that failed lately: `past.shares`."""
    load: F64
    """Of regions: a row for each of `roster.kinds`, an entry for each of `atlas.names`; with play
    (`loads.with_play`)."""
    standing: U8
    """State and tier as one code: `standing_of`."""
    opened: tuple[Open, ...]
    """For each of `roster.kinds`, the nodes that are ready and hot."""
    ramping: bool
    """Whether any node's share is less than 1."""
    any_dead: bool

    @property
    def nodes(self) -> tuple[str, ...]:
        """Names, in the order of the columns."""
        return self.roster.names

    @property
    def in_service(self) -> tuple[str, ...]:
        """Regions by name in which nodes stand that are not dead: what may be a home region."""
        alive = self.roster.region[self.state != State.DEAD]
        return tuple(self.roster.atlas.names[at] for at in np.unique(alive))

    @property
    def digest(self) -> str:
        """Equal for views in which every node and region has the same state and numbers."""
        columns = (self.state, self.tier, self.fits, self.held, self.limit, self.step_p95_ms,
                   self.queue, self.history_ms, self.share, self.load)  # fmt: skip
        digest = hashlib.blake2b(digest_size=8)
        for column in columns:
            digest.update(column.data)
        return digest.hexdigest()

    def state_of(self, node: str) -> State | None:
        """The state of a node; None for one that is not known."""
        at = self.roster.index.get(node)
        return None if at is None else State(int(self.state[at]))
