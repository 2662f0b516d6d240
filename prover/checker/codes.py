"""What a decision should say of itself."""

from prover.checker.fleet import Fleet
from prover.checker.order import Ranked
from prover.checker.reach import OFFERS_NOT, Sifted

SIEVES = (
    "not_allowed", "no_kind", "no_language", "no_model", "dead", "conflict", "stale", "unwell",
    "unreachable", "draining", "not_hot", "full", "excluded", "not_overflow", "too_far",
    "too_costly",
)  # fmt: skip
"""In the order in which they are applied."""


def of_losers(found: Sifted, ranked: list[Ranked], winner: Ranked) -> dict[str, str]:
    """Of every node, its one reason."""
    reasons = dict(found.reasons)
    at_home = winner.seen.region == found.home
    for each in ranked:
        back = each.stands_back and not winner.stands_back
        home = each.seen.region == found.home
        reasons[each.name] = "ramping" if back else _of_able(at_home=at_home, home=home)
    reasons[winner.name] = "winner"
    return reasons


def _of_able(*, at_home: bool, home: bool) -> str:
    if at_home:
        return "ranked_lower" if home else "overflow_not_needed"
    return "home_spared" if home else "ranked_lower"


def of_placed(
    found: Sifted,
    ranked: list[Ranked],
    winner: Ranked,
    allowed: frozenset[str],
    *,
    spilling: bool,
) -> set[str]:
    """Why the winner won, but for `load_spread`.

    Args:
        found: the fleet as the ask saw it.
        ranked: the able nodes in order.
        winner: one of them.
        allowed: the regions that the policy allows.
        spilling: whether the home region is so full that sessions go elsewhere.
    """
    preferred = found.home != found.nearest
    if winner.seen.region == found.home:
        codes = {"preferred" if preferred else "nearest_allowed"}
    else:
        codes = {_overflow(found, ranked, winner, spilling=spilling)}
        if preferred:
            codes.add("preferred")
    if _nearer_forbidden(found, allowed):
        codes.add("nearer_not_allowed")
    if winner.stands_back:
        codes.add("ramping_only")
    return codes


def _overflow(found: Sifted, ranked: list[Ranked], winner: Ranked, *, spilling: bool) -> str:
    spared = any(
        each.seen.region == found.home and each.stands_back == winner.stands_back for each in ranked
    )
    if spilling and spared:
        return "overflow_home_loaded"
    full = any(one.region == found.home and found.reasons.get(one.name) == "full"
               for one in found.seen)  # fmt: skip
    return "overflow_home_full" if full else "overflow_home_unavailable"


def _nearer_forbidden(found: Sifted, allowed: frozenset[str]) -> bool:
    assert found.home is not None
    nearer_ms = found.rtt_ms[found.home]
    alive = {one.region for one in found.seen if one.state != "dead"}
    return any(found.rtt_ms[name] < nearer_ms and name not in allowed for name in alive)


def of_refused(
    found: Sifted, allowed: frozenset[str], fleet: Fleet, now_s: float
) -> tuple[str, set[str]]:
    """What kind of refusal it is, and its codes."""
    if not allowed:
        return "not_allowed", {"no_node_allowed"}
    reasons = set(found.reasons.values())
    codes = reasons - {"not_allowed"}
    if reasons - OFFERS_NOT:
        return "no_room", codes
    if not fleet.settled(now_s):
        return "no_room", {"fleet_settling"}
    return "not_allowed", codes or {"no_node_allowed"}
