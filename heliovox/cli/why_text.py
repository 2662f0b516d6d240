"""A decision in words. Pure."""

from datetime import UTC, datetime

from heliovox.cli.display import printable
from heliovox.cli.tables import number, table
from heliovox.local.reasons import REASONS, by_reason
from heliovox.protocol.control import DecisionView, Loser, SessionView

_NAMED = 6


def reason(code: str) -> str:
    """A code with its meaning, where we know it."""
    return f"{code}: {REASONS[code]}" if code in REASONS else printable(code)


def decision(view: DecisionView) -> str:
    """Everything that a person wants to know about a decision."""
    parts = [_outcome(view), _inputs(view), _ranking(view), _losers(view), _attempts(view)]
    return "\n".join(part for part in parts if part)


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
        f"  {reason(code)}\n    {_names(nodes)}\n" for code, nodes in by_reason(view.losers).items()
    ]
    left_out = f"  and {view.omitted} nodes that are not kept\n" if view.omitted else ""
    return "Not chosen\n" + "".join(lines) + left_out


def _attempts(view: DecisionView) -> str:
    if not view.attempts:
        return ""
    return "Asked for a seat\n" + "".join(f"  {printable(one)}\n" for one in view.attempts)


def _names(nodes: list[Loser]) -> str:
    named = ", ".join(printable(f"{one.node} ({one.region})") for one in nodes[:_NAMED])
    return named + (f" and {len(nodes) - _NAMED} more" if len(nodes) > _NAMED else "")


def _indented(text: str) -> str:
    return "".join(f"  {line}\n" for line in text.splitlines())
