"""A decision's own reasons, and those of able nodes: stable codes that say in a few words why."""

import msgspec
import numpy as np

from control_plane.fleet.atlas import Mask, Terms
from control_plane.fleet.roster import U8
from control_plane.fleet.states import State
from control_plane.fleet.view import F64, FleetView
from control_plane.placement.classes import CLASSES, stands_back
from control_plane.placement.decision import Outcome
from control_plane.placement.ranking import Able, Ranking
from control_plane.placement.reasons import OFFERS_NOT, Reason
from control_plane.placement.sieves import Offered, in_service

_DEAD = np.uint8(State.DEAD)
_LOWER, _SPARED = np.uint8(Reason.RANKED_LOWER), np.uint8(Reason.HOME_SPARED)
_NOT_NEEDED, _RAMPING = np.uint8(Reason.OVERFLOW_NOT_NEEDED), np.uint8(Reason.RAMPING)
_FULL = np.uint8(Reason.FULL)

CODES = {
    "nearest_allowed": "placed in the home region: the nearest that the policy allows",
    "preferred": "the home region is one that the policy prefers, and not the nearest allowed one",
    "overflow_home_full": "placed outside the home region, whose nodes are full",
    "overflow_home_loaded": "likewise; it has room, but is so loaded that overflow has begun",
    "overflow_home_unavailable": "likewise; its nodes are stale, draining, not well, not reached "
    "or stand back after a failure",
    "nearer_not_allowed": "a nearer region has nodes, and the policy does not allow it",
    "load_spread": "not the cheapest, but as good: chance chose, so that a burst spreads, or price",
    "ramping_only": "on a node that failed lately and stands back: no other could take it",
    "no_seat_given": "refused: by what was known nodes could take it, and none that was asked did",
    "no_node_allowed": "refused: no node stands in a region that the policy allows",
    "fleet_settling": "refused for now: nodes may not have reported yet since the centre started",
}
"""Codes of decisions that are not also codes of nodes, and what they say. A refusal lists those
of the nodes that lost, but for `not_allowed`, which says nothing of why."""


class Told(msgspec.Struct, frozen=True, eq=False):
    """A ranking, and what it was made from."""

    who: Offered
    home: int
    rtt_ms: F64
    """By region."""
    able: Able
    ranking: Ranking
    spilling: bool
    """Whether overflow has begun though there may be room at home."""

    anybody_back: bool
    """Whether anybody may stand back."""
    won_in: int
    """The winner's region."""

    @property
    def backed(self) -> bool:
        """Whether the winner stands back."""
        return stands_back(int(self.ranking.classes[0]))


def placed_codes(view: FleetView, told: Told, reasons: U8) -> tuple[str, ...]:
    """Why the winner won, with `reasons` still as they were before it did."""
    terms, home = told.who.terms, told.home
    nearer = told.rtt_ms < told.rtt_ms[home]
    not_nearest = bool(terms.preferred is not None and _any_nearer(view, told))
    codes: list[str] = []
    if told.won_in != home:
        codes.append(_overflow(view, told, reasons))
    elif not not_nearest:
        codes.append("nearest_allowed")
    if not_nearest:
        codes.append("preferred")
    if _nearer_forbidden(view, terms, nearer):
        codes.append("nearer_not_allowed")
    if not told.ranking.cheapest:
        codes.append("load_spread")
    if told.backed:
        codes.append("ramping_only")
    return tuple(codes)


def _any_nearer(view: FleetView, told: Told) -> bool:
    """Whether another region that may, and has what is asked for, is nearer than home."""
    service = in_service(view, told.who)
    near_ms = np.where(service, told.rtt_ms, np.inf)
    return int(near_ms.argmin()) != told.home


def _overflow(view: FleetView, told: Told, reasons: U8) -> str:
    at_home = told.able.classes[told.able.regions == told.home]
    spared = (at_home >= CLASSES) == told.backed  # those that stand back anyway are not spared
    if told.spilling and spared.any():
        return "overflow_home_loaded"
    full = np.any(reasons[view.roster.region == told.home] == _FULL)
    return "overflow_home_full" if full else "overflow_home_unavailable"


def _nearer_forbidden(view: FleetView, terms: Terms, nearer: Mask) -> bool:
    forbidden = nearer & terms.forbidden
    if not forbidden.any():
        return False
    nodes = forbidden.take(view.roster.region)
    return bool(np.any(nodes & (view.state != _DEAD) if view.any_dead else nodes))


def reasons_of_able(told: Told) -> U8:
    """The reason of every able node but the winner, in their order."""
    able, at_home = told.able, told.able.regions == told.home
    if told.won_in == told.home:
        reasons: U8 = np.where(at_home, _LOWER, _NOT_NEEDED)
    elif told.spilling:
        reasons = np.where(at_home, _SPARED, _LOWER)
    else:
        reasons = np.full(able.nodes.size, _LOWER)
    if not told.backed and told.anybody_back:
        reasons[able.classes >= CLASSES] = _RAMPING
    return reasons


def refused(view: FleetView, terms: Terms, reasons: U8) -> tuple[Outcome, tuple[str, ...]]:
    """What kind of refusal it is, and why: the reasons of the nodes in allowed regions."""
    found = sorted({Reason(code) for code in np.unique(reasons).tolist()})
    codes = tuple(reason.code for reason in found if reason is not Reason.NOT_ALLOWED)
    if any(reason not in OFFERS_NOT for reason in found):
        return "no_room", codes
    if not view.settled and terms.allowed.any():
        return "no_room", ("fleet_settling",)
    return "not_allowed", codes or ("no_node_allowed",)
