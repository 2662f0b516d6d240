"""A decision's own reasons: stable codes that say in a few words why it went as it did."""

import numpy as np

from control_plane.fleet.roster import U8
from control_plane.fleet.states import State
from control_plane.fleet.view import F64, FleetView
from control_plane.placement.decision import Outcome
from control_plane.placement.ranking import Ranking
from control_plane.placement.reasons import OFFERS_NOT, Reason
from shared.policy import CompiledPolicy

_DEAD = np.uint8(State.DEAD)

CODES = {
    "nearest_allowed": "placed in the home region: the nearest that the policy allows",
    "overflow_home_full": "placed outside the home region, whose nodes are full",
    "overflow_home_unavailable": "likewise; its nodes are stale, draining or not well",
    "nearer_not_allowed": "a nearer region has nodes, and the policy does not allow it",
    "load_spread": "not the cheapest, but as good: chance chose, so that a burst spreads",
    "no_node_allowed": "refused: no node stands in a region that the policy allows",
    "fleet_settling": "refused for now: nodes may not have reported yet since the centre started",
}
"""Codes of decisions that are not also codes of nodes, and what they say. A refusal lists those
of the nodes that lost, but for `not_allowed`, which says nothing of why."""


def placed_codes(
    view: FleetView,
    policy: CompiledPolicy,
    home: int,
    rtt_ms: F64,
    ranking: Ranking,
    reasons: U8,
) -> tuple[str, ...]:
    """Why the winner won, with `reasons` still as they were before it did."""
    codes = ["nearest_allowed"] if ranking.at_home else [_overflow(view, home, reasons)]
    if _nearer_forbidden(view, policy, home, rtt_ms):
        codes.append("nearer_not_allowed")
    if not ranking.cheapest:
        codes.append("load_spread")
    return tuple(codes)


def _overflow(view: FleetView, home: int, reasons: U8) -> str:
    full = np.any(reasons[view.roster.region == home] == Reason.FULL)
    return "overflow_home_full" if full else "overflow_home_unavailable"


def _nearer_forbidden(view: FleetView, policy: CompiledPolicy, home: int, rtt_ms: F64) -> bool:
    allowed, _ = view.roster.atlas.allowed(policy)
    nearer = (rtt_ms < rtt_ms[home]) & ~allowed
    if not nearer.any():
        return False
    return bool(np.any(nearer.take(view.roster.region) & (view.state != _DEAD)))


def refused(view: FleetView, reasons: U8) -> tuple[Outcome, tuple[str, ...]]:
    """What kind of refusal it is, and why: the reasons of the nodes in allowed regions."""
    found = sorted({Reason(code) for code in np.unique(reasons).tolist()})
    codes = tuple(reason.code for reason in found if reason is not Reason.NOT_ALLOWED)
    if any(reason not in OFFERS_NOT for reason in found):
        return "no_room", codes
    if not view.settled:
        return "no_room", ("fleet_settling",)
    return "not_allowed", codes or ("no_node_allowed",)
