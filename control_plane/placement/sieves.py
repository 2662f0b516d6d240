"""The sieves of a decision, each over whole columns: a node keeps the first reason to lose.

What follows from names, offers and the policy alone is worked out once; from then on only the nodes
that are left are looked at.
"""

from dataclasses import dataclass

import numpy as np

from control_plane.fleet.atlas import Mask, Terms
from control_plane.fleet.roster import I32, U8, Index, Offer, Roster
from control_plane.fleet.states import TIERS, State
from control_plane.fleet.view import F64, FleetView
from control_plane.placement.ask import PlacementAsk
from control_plane.placement.reasons import OF_STATE, Reason
from shared.policy import ROUNDING

_ABLE = np.uint8(Reason.ABLE)  # an enum in a comparison of columns costs more than the columns
_FULL, _EXCLUDED = np.uint8(Reason.FULL), np.uint8(Reason.EXCLUDED)
_TOO_FAR, _TOO_COSTLY = np.uint8(Reason.TOO_FAR), np.uint8(Reason.TOO_COSTLY)
_NOT_OVERFLOW = np.uint8(Reason.NOT_OVERFLOW)
_DEAD = np.uint8(State.DEAD)


def _of_standing() -> U8:
    """The reason of every state and tier, by `standing_of`."""
    reasons = [
        Reason.NOT_HOT if state is State.READY and tier else OF_STATE[state]
        for state in State
        for tier in range(len(TIERS))
    ]
    return np.array(reasons, np.uint8)


_OF_STANDING = _of_standing()


@dataclass(frozen=True, slots=True, eq=False)
class Offered:
    """Who may by the policy, and has what is asked for; load and state aside. Read only."""

    terms: Terms
    reasons: U8
    """Of every node: `ABLE` for those."""
    nodes: Index
    """Those, as indices into the roster."""
    regions: Index
    """Of those."""
    everywhere: Mask
    """By region: whether any of those stands there."""


def offered(roster: Roster, ask: PlacementAsk, terms: Terms) -> Offered:
    """Remembered with the roster."""
    key = (id(terms), ask.kind, ask.language, ask.model)
    found: Offered = roster.sieves.of(key, lambda: _offered(roster, ask, terms))
    return found


def _offered(roster: Roster, ask: PlacementAsk, terms: Terms) -> Offered:
    lacks = np.array([_lacks(offer, ask) for offer in roster.offers], np.uint8)
    reasons = np.full(len(roster.names), Reason.NOT_ALLOWED, np.uint8)
    if roster.names:
        np.copyto(reasons, lacks[roster.offer], where=terms.allowed[roster.region])
    nodes = (reasons == _ABLE).nonzero()[0]
    regions = roster.region[nodes]
    for column in (reasons, nodes, regions):
        column.setflags(write=False)
    return Offered(terms, reasons, nodes, regions, in_regions(roster, regions))


def _lacks(offer: Offer, ask: PlacementAsk) -> Reason:
    if ask.kind not in offer.kinds:
        return Reason.NO_KIND
    if ask.language.lower() not in offer.languages:
        return Reason.NO_LANGUAGE
    if ask.model is not None and ask.model not in offer.models:
        return Reason.NO_MODEL
    return Reason.ABLE


def in_regions(roster: Roster, regions: Index) -> Mask:
    """Which regions are among these."""
    found: Mask = np.bincount(regions, minlength=len(roster.atlas.names)) > 0
    return found


def in_service(view: FleetView, who: Offered) -> Mask:
    """The regions in which any of them is not dead."""
    if not view.any_dead:
        return who.everywhere
    dead = view.state.take(who.nodes) == _DEAD
    return in_regions(view.roster, who.regions.compress(~dead)) if dead.any() else who.everywhere


def home(service: Mask, terms: Terms, rtt_ms: F64) -> int | None:
    """The nearest region in service, of the preferred ones if any is; ties go by name."""
    if terms.preferred is not None and (wanted := service & terms.preferred).any():
        service = wanted
    near_ms = np.where(service, rtt_ms, np.inf)
    at = int(near_ms.argmin())
    return at if service[at] else None


def able(view: FleetView, ask: PlacementAsk, room: I32, who: Offered) -> U8:
    """State, tier, room, and who is left out: the reasons of those that may and have it."""
    reasons: U8 = _OF_STANDING.take(view.standing.take(who.nodes))
    np.putmask(reasons, (reasons == _ABLE) & (room.take(who.nodes) <= 0), _FULL)
    for name in ask.without:
        at = view.roster.index.get(name)
        if at is not None:
            np.putmask(reasons, (reasons == _ABLE) & (who.nodes == at), _EXCLUDED)
    return reasons


def reach(view: FleetView, terms: Terms, home: int, rtt_ms: F64) -> U8:
    """By region: may overflow go there, is it near enough, is it cheap enough? Home is `ABLE`."""
    known = terms.reach.get(home)
    if known is None:
        known = terms.reach[home] = _reach_of(view, terms, home)
    most_ms = terms.policy.max_added_rtt_ms
    reasons: U8 = known
    if most_ms is not None:
        reasons = known.copy()
        far = rtt_ms - rtt_ms[home] > most_ms + ROUNDING
        np.putmask(reasons, far & terms.overflow, _TOO_FAR)
        reasons[home] = _ABLE
    return reasons


def _reach_of(view: FleetView, terms: Terms, home: int) -> U8:
    """The same, wherever the caller is."""
    reasons: U8 = np.where(terms.overflow, _ABLE, _NOT_OVERFLOW)
    if terms.policy.max_added_cost_usd is not None:
        cost_usd = view.roster.atlas.hourly_cost_usd
        dear = cost_usd - cost_usd[home] > terms.policy.max_added_cost_usd + ROUNDING
        np.putmask(reasons, dear & terms.overflow, _TOO_COSTLY)
    reasons[home] = _ABLE
    return reasons
