"""The control plane's stable codes in words. Pure, and light: commands of the SDK show them."""

from collections import defaultdict
from collections.abc import Iterable

from heliovox.protocol.control import DecisionView, Loser

REASONS = {
    # of decisions
    "nearest_allowed": "the nearest region that the policy allows",
    "preferred": "the nearest region that the policy prefers, and not the nearest allowed one",
    "overflow_home_loaded": "the home region is so loaded that overflow has begun",
    "overflow_home_full": "the home region is full, and the policy lets callers overflow",
    "overflow_home_unavailable": "the home region's nodes do not serve now",
    "nearer_not_allowed": "a nearer region has nodes, and the policy does not allow it",
    "load_spread": "several are as good: chance chose, so that a burst spreads, or the price",
    "ramping_only": "on a node that failed lately: no other could take it",
    "no_seat_given": "nodes seemed to have room, and none that was asked gave a seat",
    "no_node_allowed": "no node stands in a region that the policy allows",
    "fleet_settling": "the centre has just started, and nodes have yet to report",
    # of nodes
    "winner": "got it",
    "not_allowed": "the policy does not allow its region",
    "no_kind": "does not do this kind of session",
    "no_language": "does not know the language",
    "no_model": "does not have the model",
    "dead": "silent for more than 5 s",
    "conflict": "two nodes report under its name",
    "stale": "silent for more than 3 s, or did not answer when asked for a seat",
    "unwell": "says of itself that it is not well",
    "unreachable": "does not answer where callers come in",
    "draining": "takes nobody new",
    "not_hot": "warm or cold: does not serve now",
    "full": "no further session fits",
    "excluded": "left out: has refused this session, did not answer it, or is where it goes from",
    "not_overflow": "allowed, but the policy does not overflow there",
    "too_far": "further away than the policy lets callers overflow",
    "too_costly": "dearer than the policy lets callers overflow",
    "overflow_not_needed": "outside the home region, which has room",
    "home_spared": "at home, where overflow has begun before all is full",
    "ramping": "failed lately, and stood back",
    "ranked_lower": "could have taken it; another could take it better",
}


def in_words(code: str) -> str:
    """What a code says; itself where we do not know it."""
    return REASONS.get(code, code)


def by_reason(losers: Iterable[Loser]) -> dict[str, list[Loser]]:
    """Nodes that share a reason, in the order in which reasons come up."""
    groups: dict[str, list[Loser]] = defaultdict(list)
    for loser in losers:
        groups[loser.reason].append(loser)
    return dict(groups)


def in_short(view: DecisionView) -> str:
    """A decision in one line."""
    why = "; ".join(in_words(code) for code in view.reasons) or "no reason given"
    others = [*(one for one in view.ranking if one.reason != "winner"), *view.losers]
    groups = by_reason(others).items()
    beside = ", ".join(f"{' '.join(n.region for n in nodes)} {code}" for code, nodes in groups)
    return why + (f" ({beside})" if beside else "")
