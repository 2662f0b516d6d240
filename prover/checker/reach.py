"""Which nodes could take a session: every node's first reason to lose, and the home region."""

from dataclasses import dataclass, field
from typing import Any

from prover.checker.cost import rtt_ms
from prover.checker.fleet import Fleet, Seen
from prover.checker.policy import Effective
from prover.checker.world import World

Ask = dict[str, Any]
EXACT = 1e-9
"""Numbers so near to each other count as equal."""
MOST_PLACES = 1000
"""Whose round trips are remembered."""
CLOSE_MS = 1e-5
"""Round trips that two programs work out differ by less; nearer ones may go either way."""
OF_STATE = {
    "dead": "dead",
    "conflict": "conflict",
    "stale": "stale",
    "unwell": "unwell",
    "unreachable": "unreachable",
    "draining": "draining",
}
OFFERS_NOT = frozenset({"not_allowed", "no_kind", "no_language", "no_model"})


@dataclass
class Sifted:
    """The fleet as one ask sees it."""

    seen: list[Seen]
    rtt_ms: dict[str, float]
    reasons: dict[str, str] = field(default_factory=dict)
    """By node, of those that cannot take the session."""
    home: str | None = None
    nearest: str | None = None
    """What would be home if nothing was preferred."""
    doubtful: set[str] = field(default_factory=set)
    """Regions so near to the limit of reach that either answer is right."""

    @property
    def able(self) -> list[Seen]:
        """Those that can."""
        return [one for one in self.seen if one.name not in self.reasons]


def sift(world: World, fleet: Fleet, policy: Effective, ask: Ask, now_s: float) -> Sifted:
    """The sieves of docs/placement.md, one after the other."""
    lat, lon = ask["place"]["lat"], ask["place"]["lon"]
    found = Sifted(fleet.seen(ask["kind"], now_s), _round_trips(world, lat, lon))
    could_be_home: set[str] = set()
    for one in found.seen:
        lacks = _lacks(one, policy, ask)
        if lacks is None and one.state != "dead":
            could_be_home.add(one.region)
        reason = lacks or _cannot(one, ask)
        if reason is not None:
            found.reasons[one.name] = reason
    _find_home(found, policy, could_be_home)
    if found.home is not None:
        _limit(world, found, policy)
    return found


def _round_trips(world: World, lat: float, lon: float) -> dict[str, float]:
    """To every region; what was worked out for the last places is remembered with the world."""
    known = world.round_trips
    if (lat, lon) not in known:
        if len(known) >= MOST_PLACES:
            known.clear()
        known[lat, lon] = {name: rtt_ms(lat, lon, region) for name, region in world.regions.items()}
    return known[lat, lon]


def _lacks(one: Seen, policy: Effective, ask: Ask) -> str | None:
    """What no waiting mends."""
    report = one.node.report
    if one.region not in policy.allowed:
        return "not_allowed"
    if ask["kind"] not in report["kinds"]:
        return "no_kind"
    if ask["language"].lower() not in one.node.languages:
        return "no_language"
    model = ask["model"]
    if model is not None and model not in report["models"] and model not in report["voices"]:
        return "no_model"
    return None


def _cannot(one: Seen, ask: Ask) -> str | None:
    """What keeps it from taking a session now."""
    if one.state != "ready":
        return OF_STATE[one.state]
    if one.node.report["tier"] != "hot":
        return "not_hot"
    if one.room <= 0:
        return "full"
    return "excluded" if one.name in ask["without"] else None


def _find_home(found: Sifted, policy: Effective, regions: set[str]) -> None:
    def nearest(among: set[str]) -> str | None:
        return min(among, key=lambda name: (found.rtt_ms[name], name), default=None)

    found.nearest = nearest(regions)
    found.home = nearest(regions & policy.preferred) or found.nearest


def _limit(world: World, found: Sifted, policy: Effective) -> None:
    """Beyond home: only where overflow goes, not too far, not too dear."""
    assert found.home is not None
    beyond: dict[str, str] = {}
    for name in {one.region for one in found.able} - {found.home}:
        reason = _beyond(world, found, policy, name)
        if reason is not None:
            beyond[name] = reason
    for one in found.able:
        if one.region in beyond:
            found.reasons[one.name] = beyond[one.region]


def _beyond(world: World, found: Sifted, policy: Effective, region: str) -> str | None:
    assert found.home is not None
    if region not in policy.overflow:
        return "not_overflow"
    if policy.max_added_rtt_ms is not None:
        over_ms = found.rtt_ms[region] - found.rtt_ms[found.home] - policy.max_added_rtt_ms
        if EXACT < abs(over_ms) < CLOSE_MS:
            found.doubtful.add(region)
        if over_ms > EXACT:
            return "too_far"
    if policy.max_added_cost_usd is not None:
        added = world.regions[region].cost_usd - world.regions[found.home].cost_usd
        if added > policy.max_added_cost_usd + EXACT:
            return "too_costly"
    return None
