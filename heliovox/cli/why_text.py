"""A decision in words. Pure."""

from datetime import UTC, datetime

from heliovox.cli.display import printable
from heliovox.cli.tables import number, table
from heliovox.local.reasons import REASONS, by_reason
from heliovox.protocol.control import (
    CallerWhy,
    ComplianceWhy,
    DecisionView,
    Loser,
    SessionView,
)

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
    ) + ruled(session)


_RULED = {
    "finish": "it may go on until its caller ends it",
    "end": "it ended at its utterance",
    "move": "it was to move to a lawful node",
}


def ruled(session: SessionView) -> str:
    """What newer rules said of it while it ran; nothing where they let it be."""
    if (ruling := session.ruled) is None:
        return ""
    lines = (
        f"It was let in by bundle {session.bundle_version} (policies {session.policy_version}).",
        f"Bundle {ruling.bundle_version} (policies {ruling.policy_version}) forbids its region:",
        f"{ruling.clause}; {_RULED[ruling.does]}.",
    )
    return "".join(f"{printable(line)}\n" for line in lines)


def _outcome(view: DecisionView) -> str:
    at = datetime.fromtimestamp(view.at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    if view.outcome == "placed":
        first = f"Placed on {view.node} in {view.region}"
        first += "" if view.region == view.home_region else f" (home region: {view.home_region})"
    else:
        first = "Refused"
    reasons = "".join(f"  {reason(code)}\n" for code in view.reasons)
    return f"{first}\n{reasons}  decision {view.id}, {at}\n"


_BECAUSE = {
    "resumed": "its caller asked for another node",
    "moved": "an operator moved it",
    "draining": "its node takes nobody new",
}


def continued(view: DecisionView | CallerWhy | ComplianceWhy) -> list[tuple[str, str]]:
    """What went on, where the decision is not about a new session: a row, or none."""
    if view.continues is None:
        return []
    because = _BECAUSE.get(view.because or "", view.because)
    return [("goes on", f"session {view.continues}, from {view.came_from}: {because}")]


def _inputs(view: DecisionView) -> str:
    place = f"{view.place.lat:g},{view.place.lon:g}" if view.place else "unknown"
    allowed = " ".join(view.allowed_regions) or "nowhere"
    rows = [
        *continued(view),
        ("asked for", " ".join(filter(None, [view.kind, view.language, view.model]))),
        ("from", f"{place} (place by {view.place_source})"),
        ("tenant", view.tenant),
        ("policy", f"{view.policy}, version {view.policy_version}, allows {allowed}"),
        ("rules", " ".join(view.rules) or "none"),
        ("home", _home(view)),
        ("seen by", f"{view.control_plane}, fleet view {view.view}"),
    ]
    return "".join(f"  {name:<10} {printable(what)}\n" for name, what in rows)


def _home(view: DecisionView) -> str:
    if view.home_region is None:
        return "none in service"
    if view.home_load is None:
        return view.home_region
    begins = "" if view.from_load >= 1.0 else f", overflow begins at {view.from_load:.0%}"
    return f"{view.home_region}, {view.home_load:.0%} taken{begins}"


def _ranking(view: DecisionView) -> str:
    if not view.ranking:
        return ""
    rows = [
        [str(place), one.node, one.region, *map(number, _parts(one)), _of(one.held, one.limit),
         "-" if one.region_load is None else f"{one.region_load:.0%}", one.reason]
        for place, one in enumerate(view.ranking, 1)
    ]  # fmt: skip
    headings = ["#", "NODE", "REGION", *_PARTS, "HELD", "REGION-LOAD", ""]
    right = f"# {' '.join(_PARTS)} HELD REGION-LOAD"
    return "Able, best first (all in ms)\n" + _indented(table(headings, rows, right=right))


_PARTS = ("RTT", "STEP", "QUEUE", "LOAD", "HISTORY", "PRICE", "COST")


def _parts(one: Loser) -> tuple[float | None, ...]:
    return (one.rtt_ms, one.step_ms, one.queue_ms, one.load_ms, one.history_ms, one.price_ms,
            one.cost_ms)  # fmt: skip


def _of(held: int | None, limit: int | None) -> str:
    return "-" if held is None else f"{held}/{limit}"


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
