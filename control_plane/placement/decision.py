"""A decision as a value: the choice, and why every other node lost."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from control_plane.fleet.roster import U8, Roster
from control_plane.fleet.view import F64
from control_plane.placement.ask import PlacementAsk
from control_plane.placement.cost import RISKS
from control_plane.placement.ranked import Ranked
from control_plane.placement.ranking import MOST_CANDIDATES
from control_plane.placement.reasons import Reason
from shared.policy import CompiledPolicy

Outcome = Literal["placed", "no_room", "not_allowed"]
"""`no_room`: nodes that may take such a session exist, and none can now. `not_allowed`: no node in
an allowed region offers what was asked for, full or not."""

FIXED_BYTES = 1900
"""Of a decision and its ask without their columns; a test holds it against tracemalloc."""


class Candidate(NamedTuple):
    """A node that could take the session, and what it costs in milliseconds."""

    node: str
    region: str
    url: str
    boot: str
    rtt_ms: float
    step_ms: float
    queue_ms: float
    load_ms: float
    history_ms: float
    price_ms: float
    """What money weighs; beside the cost, unless it may weigh against milliseconds."""
    fits: int
    """Sessions of the kind that fitted when it was decided."""
    cost_ms: float
    """What it is ranked by among those of its class."""
    class_: int
    """`classes.classes_of`, and 3 more where it stands back."""


class Decision(msgspec.Struct, frozen=True, eq=False):
    """The choice and its explanation; `explain` makes rows of it.

    Holds on to the roster, which many decisions share, and not to the view.
    """

    ask: PlacementAsk
    policy: CompiledPolicy
    roster: Roster
    view: int
    """The number of the view that it was made on."""
    outcome: Outcome
    home: str | None
    """The nearest allowed region in which a living node offers what was asked for."""
    codes: tuple[str, ...]
    """Why it went as it did: `nearest_allowed`, `overflow_home_full`, ... or, for a refusal, the
    reasons of the nodes that may take such a session."""
    reasons: U8
    """For every node of the roster, its one `Reason`."""
    ranked: Ranked
    """The first of the able nodes, best first."""
    load: F64
    """Of every region of the atlas, for the kind."""

    @property
    def winner(self) -> Candidate | None:
        """Who got the session; None for a refusal."""
        return self.candidate(0) if self.ranked.nodes.size else None

    @property
    def tries(self) -> tuple[str, ...]:
        """The names of `candidates`."""
        names = self.roster.names
        return tuple(names[node] for node in self.ranked.nodes[:MOST_CANDIDATES].tolist())

    @property
    def candidates(self) -> tuple[Candidate, ...]:
        """Nodes to try, in order; the first is the winner. Empty for a refusal."""
        count = min(MOST_CANDIDATES, self.ranked.nodes.size)
        return tuple(self.candidate(at) for at in range(count))

    @property
    def conservative(self) -> bool:
        """Whether the price chose only among nodes that were as good without it."""
        return self.roster.atlas.world.ranking.conservative

    def candidate(self, at: int) -> Candidate:
        """The node to try as number `at`, from 0. Raises IndexError where there are not so many."""
        node, roster = int(self.ranked.nodes[at]), self.roster
        parts = self.ranked.parts_ms[:, at].tolist()
        rtt_ms, step_ms, queue_ms, load_ms, history_ms, price_ms = parts
        return Candidate(
            node=roster.names[node],
            region=roster.region_of(node),
            url=roster.urls[node],
            boot=roster.boots[node],
            rtt_ms=rtt_ms,
            step_ms=step_ms,
            queue_ms=queue_ms,
            load_ms=load_ms,
            history_ms=history_ms,
            price_ms=price_ms,
            fits=int(self.ranked.room[at]),
            cost_ms=sum(parts[: RISKS if self.conservative else None]),
            class_=int(self.ranked.classes[at]),
        )

    @property
    def overflow(self) -> bool:
        """Whether the winner stands in another region than home."""
        winner = self.winner
        return winner is not None and winner.region != self.home

    @property
    def counts(self) -> Mapping[str, int]:
        """How many nodes have each reason, by its code."""
        counts = np.bincount(self.reasons, minlength=len(Reason))
        return {reason.code: int(counts[reason]) for reason in Reason if counts[reason]}

    @property
    def fingerprint(self) -> tuple[object, ...]:
        """Equal for equal decisions: all that was decided, and every reason."""
        return (self.view, self.outcome, self.home, self.codes, self.candidates,
                self.policy.version, self.reasons.tobytes())  # fmt: skip

    @property
    def size_bytes(self) -> int:
        """What keeping it costs: a byte a node, 77 for each ranked one, and a fixed part.

        The roster is shared, and not counted.
        """
        return FIXED_BYTES + self.reasons.nbytes + self.ranked.nbytes + self.load.nbytes
