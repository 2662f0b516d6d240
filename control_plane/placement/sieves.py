"""The sieves of a decision, each over a whole column: a node keeps the first reason to lose."""

import numpy as np

from control_plane.fleet.atlas import Mask
from control_plane.fleet.roster import I32, U8, Offer, Roster
from control_plane.fleet.states import State
from control_plane.fleet.view import F64, FleetView
from control_plane.placement.ask import PlacementAsk
from control_plane.placement.reasons import OF_STATE, Reason
from shared.policy import CompiledPolicy

_ABLE = np.uint8(Reason.ABLE)  # an enum in a comparison of columns costs more than the columns
_NOT_HOT = np.uint8(Reason.NOT_HOT)
_FULL = np.uint8(Reason.FULL)
_TOO_FAR = np.uint8(Reason.TOO_FAR)
_NOT_OVERFLOW = np.uint8(Reason.NOT_OVERFLOW)
_OF_STATE = np.array([OF_STATE[state] for state in State], np.uint8)


def offered(roster: Roster, ask: PlacementAsk, policy: CompiledPolicy) -> U8:
    """Reasons that follow from the policy and from what nodes have; load and state aside.

    Remembered with the roster. Do not write into it.
    """
    key = (policy, ask.kind, ask.language, ask.model)
    return roster.sieves.of(key, lambda: _offered(roster, ask, policy))


def _offered(roster: Roster, ask: PlacementAsk, policy: CompiledPolicy) -> U8:
    lacks = np.array([_lacks(offer, ask) for offer in roster.offers], np.uint8)
    allowed, _ = roster.atlas.allowed(policy)
    if not roster.names:
        return np.zeros(0, np.uint8)
    reasons: U8 = np.where(allowed[roster.region], lacks[roster.offer], Reason.NOT_ALLOWED)
    reasons = reasons.astype(np.uint8)
    reasons.setflags(write=False)
    return reasons


def _lacks(offer: Offer, ask: PlacementAsk) -> Reason:
    if ask.kind not in offer.kinds:
        return Reason.NO_KIND
    if ask.language.lower() not in offer.languages:
        return Reason.NO_LANGUAGE
    if ask.model is not None and ask.model not in offer.models:
        return Reason.NO_MODEL
    return Reason.ABLE


def fits(view: FleetView, kind: str) -> I32:
    """Sessions of the kind that still fit, by node."""
    kinds = view.roster.kinds
    if kind not in kinds:
        return np.zeros(len(view.nodes), np.int32)
    row: I32 = view.fits[kinds.index(kind)]
    return row


def able(view: FleetView, ask: PlacementAsk, room: I32, reasons: U8) -> U8:
    """State, tier, room, and who is left out, for those that no sieve has stopped so far."""
    reasons = np.where(reasons == _ABLE, _OF_STATE.take(view.state), reasons)
    if view.tier.any():
        np.putmask(reasons, (reasons == _ABLE) & (view.tier != 0), _NOT_HOT)
    np.putmask(reasons, (reasons == _ABLE) & (room <= 0), _FULL)
    for name in ask.without:
        at = view.roster.index.get(name)
        if at is not None and reasons[at] == Reason.ABLE:
            reasons[at] = Reason.EXCLUDED
    return reasons


def in_service(roster: Roster, nodes: Mask) -> Mask:
    """The regions in which any of the nodes stands."""
    regions = len(roster.atlas.names)
    found: Mask = np.bincount(roster.region.compress(nodes), minlength=regions) > 0
    return found


def home(service: Mask, rtt_ms: F64) -> int | None:
    """The nearest region in service; of equally near ones the first by name."""
    if not service.any():
        return None
    return int(np.where(service, rtt_ms, np.inf).argmin())


def reach(view: FleetView, policy: CompiledPolicy, home: int, rtt_ms: F64, reasons: U8) -> U8:
    """Outside the home region: may overflow go there, and is it near enough?"""
    allowed, overflow = view.roster.atlas.allowed(policy)
    by_region = np.where(allowed & overflow, _ABLE, _NOT_OVERFLOW)
    if policy.max_added_rtt_ms is not None:
        far = rtt_ms - rtt_ms[home] > policy.max_added_rtt_ms
        by_region[far & (by_region == _ABLE)] = _TOO_FAR
    by_region[home] = _ABLE
    result: U8 = np.where(reasons == _ABLE, by_region.take(view.roster.region), reasons)
    return result
