"""A refusal as a caller is told it: a typed error, with the numbers that say why."""

from collections.abc import Sequence

from control_plane.placement.decision import Decision
from control_plane.placement.reasons import OFFERS_NOT
from shared.errors import NoRoom, NotAllowed
from shared.regions.model import WhenFull

_WIDER = "a policy with a wider allowed set may find room now"
_LATER: dict[WhenFull, str] = {
    "refuse": f"try again later; {_WIDER}",
    "wait": f"try again later; {_WIDER}",
    "call_back": f"call the caller back when there is room; {_WIDER}",
}
_OFFERS_NOT = frozenset(reason.code for reason in OFFERS_NOT)


def refusal(decision: Decision) -> NotAllowed | NoRoom:
    """The error for a decision that placed nobody. Raises ValueError for one that did."""
    if decision.outcome == "placed":
        raise ValueError(f"decision {decision.ask.id} placed the session")
    return _no_room(decision) if decision.outcome == "no_room" else _not_allowed(decision)


def _wanted(decision: Decision) -> str:
    ask = decision.ask
    model = f" by {ask.model}" if ask.model else ""
    return f"{ask.kind} in {ask.language}{model}"


def _no_room(decision: Decision) -> NoRoom:
    found = {code: n for code, n in decision.counts.items() if code not in _OFFERS_NOT}
    numbers = ", ".join(f"{count} {code}" for code, count in found.items())
    nodes = sum(found.values())
    why = f"of {nodes} nodes that may: {numbers}" if nodes else "nodes have yet to report"
    return NoRoom(
        f"policy {decision.policy.name} has no room for {_wanted(decision)} now ({why})",
        field="policy",
        value=decision.policy.name,
        remedy=_LATER[decision.policy.when_full],
        decision=decision.ask.id,
    )


def _no_region(decision: Decision) -> NotAllowed:
    """Policy and rules leave the session nowhere to be, whatever the fleet."""
    policy = decision.policy
    rules = f" and {', '.join(policy.rules)}" if policy.rules else ""
    return NotAllowed(
        f"policy {policy.name}{rules} together leave this session no region",
        field="policy",
        value=policy.name,
        remedy="see which clause took each region away in `removed` of the decision",
        decision=decision.ask.id,
    )


def _not_allowed(decision: Decision) -> NotAllowed:
    if not decision.policy.allowed:
        return _no_region(decision)
    found = {c: n for c, n in decision.counts.items() if c in _OFFERS_NOT and c != "not_allowed"}
    numbers = ", ".join(f"{count} {code}" for code, count in found.items())
    regions = ", ".join(sorted(decision.policy.allowed))
    return NotAllowed(
        f"no node offers {_wanted(decision)} where policy {decision.policy.name} allows it "
        f"({regions}: {numbers or 'no nodes there'})",
        field="policy",
        value=decision.policy.name,
        remedy="ask for a kind, language or model that is offered there, or use another policy",
        decision=decision.ask.id,
    )


def nobody_gave(decision: Decision, story: Sequence[str]) -> NoRoom:
    """The error where nodes could take the session by what was known of them, and none did."""
    return NoRoom(
        f"no node gave a seat ({', '.join(story) or 'none was asked in time'})",
        field="policy",
        value=decision.policy.name,
        remedy="try again: what is known of nodes is a second old at most",
        decision=decision.ask.id,
    )
