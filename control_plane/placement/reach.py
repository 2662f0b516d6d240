"""Where a session could go at all, full or not: those who wait for a seat wait for one there."""

from functools import lru_cache

import numpy as np

from control_plane.fleet.states import State
from control_plane.fleet.view import FleetView
from control_plane.placement import sieves
from control_plane.placement.ask import PlacementAsk
from control_plane.placement.reasons import Reason
from shared.policy import CompiledPolicy

_READY = np.uint8(State.READY)


def reach(view: FleetView, ask: PlacementAsk, policy: CompiledPolicy) -> frozenset[str]:
    """The home region and those that overflow may go to, where nodes offer what is asked for.

    All that the policy allows where no such node stands anywhere: one may come.
    """
    atlas = view.roster.atlas
    terms, rtt_ms = atlas.terms(policy), atlas.rtt_ms(ask.place)
    who = sieves.offered(view.roster, ask, terms)
    service = sieves.in_service(view, who)
    home = sieves.home(service, terms, rtt_ms)
    if home is None:
        return policy.allowed
    able = (sieves.reach(view, terms, home, rtt_ms) == Reason.ABLE) & service & terms.allowed
    return frozenset(atlas.names[at] for at in able.nonzero()[0])


@lru_cache(maxsize=16)  # of a view, which is frozen: asked for at every turn
def with_room(view: FleetView, kind: str) -> frozenset[str]:
    """Regions in which a node says that another session of a kind fits."""
    if kind not in view.roster.kinds:
        return frozenset()
    roster = view.roster
    room = (view.fits[roster.kinds.index(kind)] > 0) & (view.state == _READY)
    regions = np.bincount(roster.region[room], minlength=len(roster.atlas.names)).nonzero()[0]
    return frozenset(roster.atlas.names[at] for at in regions)
