"""A decision in words for its caller, and for compliance. Pure."""

from datetime import UTC, datetime

from heliovox.cli.display import printable
from heliovox.cli.why_text import continued, reason
from heliovox.protocol.control import Advice, AllowedRegion, CallerWhy, ComplianceWhy

_ADVICE: dict[Advice, str] = {
    "connect": "connect with the ticket",
    "try_again": "try again later",
    "ask_for_what_is_offered": "ask for a kind, language or model that is offered there",
    "use_another_policy": "use a policy that allows a region where nodes stand",
}


def caller(view: CallerWhy) -> str:
    """Why here, or why refused, and what to do."""
    first = f"Placed on {view.node} in {view.region}" if view.node else "Refused"
    reasons = "".join(f"  {reason(code)}\n" for code in view.reasons)
    return f"{first}\n{reasons}" + _rows(
        *continued(view),
        ("what to do", _ADVICE[view.advice]),
        ("asked for", " ".join(filter(None, [view.kind, view.language, view.model]))),
        ("policy", f"{view.policy}, version {view.policy_version}"),
        ("allowed", " ".join(view.allowed_regions) or "nowhere"),
        ("home", view.home_region or "none in service"),
        ("decision", f"{view.id}, {_at(view.at_ms)}"),
    )


def compliance(view: ComplianceWhy) -> str:
    """Which clause allowed or took away each region, and on what."""
    where = f"In {view.region}" if view.region else "Nowhere: refused"
    verdict = "within" if view.within_policy else "NOT WITHIN"
    place = f"{view.place.lat:g},{view.place.lon:g}" if view.place else "unknown"
    allowed = "".join(f"  {one.region:<16} {one.clause}{_marks(one)}\n" for one in view.allowed)
    removed = "".join(f"  {one.region:<16} {one.clause}\n" for one in view.removed)
    return (
        f"{where}: {verdict} the policy\n"
        + _rows(
            *continued(view),
            ("policy", f"{view.policy}, version {view.policy_version}"),
            ("rules", " ".join(view.rules) or "none"),
            ("signed by", view.signed_by or "unknown"),
            ("tenant", view.tenant),
            ("data", view.data),
            ("language", view.language),
            ("countries", " ".join(view.countries) or "unknown"),
            ("place", f"{place} (by {view.place_source})"),
            ("decision", f"{view.id} of {view.control_plane}, {_at(view.at_ms)}"),
        )
        + "Allowed, by which clause\n"
        + (allowed or "  nowhere\n")
        + (f"Not allowed, by which clause\n{removed}" if removed else "")
    )


def _marks(one: AllowedRegion) -> str:
    marks = [name for name in ("home", "preferred", "overflow") if getattr(one, name)]
    return f" ({', '.join(marks)})" if marks else ""


def _rows(*rows: tuple[str, str]) -> str:
    return "".join(f"  {name:<10} {printable(what)}\n" for name, what in rows)


def _at(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
