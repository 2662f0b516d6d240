"""A decision in words. Pure."""

from collections import defaultdict
from datetime import UTC, datetime

from heliovox.cli.display import printable
from heliovox.cli.tables import number, table
from heliovox.protocol.control import DecisionView, Loser, SessionView

REASONS = {
    "nearest_allowed": "the nearest node that the policy allows and that has room",
    "overflow_home_full": "the home region is full, and the policy lets callers overflow",
    "not_allowed": "the policy does not allow its region",
    "stale": "silent for more than 3 s",
    "dead": "silent for more than 5 s",
    "conflict": "two nodes report under its name",
    "unwell": "says of itself that it is not well",
    "draining": "takes nobody new",
    "full": "no room",
    "no_kind": "does not do this kind of session",
    "no_language": "does not know the language",
    "no_model": "does not have the model",
    "not_overflow": "allowed, but not beyond the home region",
    "too_far": "further than the policy lets callers overflow",
    "ranked_lower": "could have taken it, and is further or busier",
}
_NAMED = 6


def reason(code: str) -> str:
    """A code with its meaning, where we know it."""
    return f"{code}: {REASONS[code]}" if code in REASONS else code


def decision(view: DecisionView) -> str:
    """Everything that a person wants to know about a decision."""
    parts = [_outcome(view), _inputs(view), _ranking(view), _losers(view), _attempts(view)]
    return "\n".join(part for part in parts if part)


def in_short(view: DecisionView) -> str:
    """The same in one sentence."""
    why = "; ".join(REASONS.get(code, code) for code in view.reasons) or "no reason given"
    others = _grouped(view.losers)
    count = ", ".join(f"{len(nodes)} {code}" for code, nodes in others.items())
    where = f"{view.node} in {view.region}" if view.outcome == "placed" else "nowhere"
    return f"{where}: {why}" + (f" (others: {count})" if count else "")


def alone(session: SessionView) -> str:
    """A session that no decision led to."""
    return (
        f"Session {session.session} is with {session.node} in {session.region}, {session.state}.\n"
        f"There is no decision: admitted by {session.admitted_by}. The caller came straight to the "
        f"node,\nand policy {session.policy} has it in his home region with room.\n"
    )


def _outcome(view: DecisionView) -> str:
    at = datetime.fromtimestamp(view.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if view.outcome == "placed":
        first = f"Placed on {view.node} in {view.region}"
        first += "" if view.region == view.home_region else f" (home region: {view.home_region})"
    else:
        first = "Refused"
    reasons = "".join(f"  {reason(code)}\n" for code in view.reasons)
    return f"{first}\n{reasons}  decision {view.id}, {at}\n"


def _inputs(view: DecisionView) -> str:
    place = f"{view.place.lat:g},{view.place.lon:g}" if view.place else "unknown"
    allowed = " ".join(view.allowed_regions) or "nowhere"
    rows = [
        ("asked for", " ".join(filter(None, [view.kind, view.language, view.model]))),
        ("from", f"{place} (place by {view.place_source})"),
        ("tenant", view.tenant),
        ("policy", f"{view.policy}, version {view.policy_version}, allows {allowed}"),
        ("home", view.home_region or "none in service"),
        ("seen by", f"{view.control_plane}, fleet view {view.view}"),
    ]
    return "".join(f"  {name:<10} {printable(what)}\n" for name, what in rows)


def _ranking(view: DecisionView) -> str:
    if not view.ranking:
        return ""
    rows = [
        [str(place), one.node, one.region, number(one.rtt_ms), number(one.cost_ms), one.reason]
        for place, one in enumerate(view.ranking, 1)
    ]
    headings = ["#", "NODE", "REGION", "RTT-MS", "COST-MS", ""]
    return "Able, best first\n" + _indented(table(headings, rows, right="# RTT-MS COST-MS"))


def _losers(view: DecisionView) -> str:
    if not view.losers:
        return ""
    lines = [
        f"  {reason(code)}\n    {_names(nodes)}\n" for code, nodes in _grouped(view.losers).items()
    ]
    left_out = f"  and {view.omitted} nodes that are not kept\n" if view.omitted else ""
    return "Not chosen\n" + "".join(lines) + left_out


def _attempts(view: DecisionView) -> str:
    if not view.attempts:
        return ""
    return "Asked for a seat\n" + "".join(f"  {printable(one)}\n" for one in view.attempts)


def _grouped(losers: tuple[Loser, ...]) -> dict[str, list[Loser]]:
    groups: dict[str, list[Loser]] = defaultdict(list)
    for loser in losers:
        groups[loser.reason].append(loser)
    return dict(groups)


def _names(nodes: list[Loser]) -> str:
    named = ", ".join(printable(f"{one.node} ({one.region})") for one in nodes[:_NAMED])
    return named + (f" and {len(nodes) - _NAMED} more" if len(nodes) > _NAMED else "")


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())
