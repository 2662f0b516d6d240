"""What two worlds differ in, for people. Pure."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from heliovox.cli.display import printable

if TYPE_CHECKING:
    from control_plane.policies.compare import Change, Plain, RegionChange, Setting
    from control_plane.policies.diff import Diff, PartChange, PolicyChange
    from control_plane.policies.shortest import Sessions

_SIGNS = {"added": "+", "removed": "-", "changed": "~"}
_WORDS = (("tenants", "tenant"), ("data", "data"), ("languages", "language"))
_NONE = "that no rule about it names"


def diff_text(found: "Diff", before: str, after: str) -> str:
    """All of it.

    Args:
        found: the differences.
        before: the first file's name.
        after: the second's.
    """
    lines = [f"{before} ({found.before}) -> {after} ({found.after})"]
    if found.same:
        more = "; zones differ, and nothing follows from it" if found.zones else ""
        lines += ["", f"mean the same to every session{more}"]
    for title, rows in (
        ("regions", _parts(found.regions)),
        ("zones", _parts(found.zones)),
        ("whole file", (_setting(one) for one in found.settings)),
        ("policies", _policies(found.policies)),
        ("dates", _moments(found)),
    ):
        listed = [f"  {row}" for row in rows]
        lines += ["", title, *listed] if listed else []
    return "".join(f"{printable(line)}\n" for line in lines)


def _parts(parts: "Sequence[PartChange]") -> Iterator[str]:
    for one in parts:
        about = "; ".join(map(_setting, one.settings))
        yield f"{_SIGNS[one.what]} {one.name}" + (f"  {about}" if about else "")


def _moments(found: "Diff") -> Iterator[str]:
    from shared.policy.moments import moment  # noqa: PLC0415 heavy

    for one in found.moments:
        yield f"{one.sign} {moment(one.at_ms)}  {one.what}"


def _policies(policies: "Sequence[PolicyChange]") -> Iterator[str]:
    """Those that change alike together."""
    alike: dict[object, list[str]] = {}
    for one in policies:
        alike.setdefault((one.what, one.allowed, one.settings, one.changes), []).append(one.name)
    first = {one.name: one for one in policies}
    for names in alike.values():
        one = first[names[0]]
        allowed = f"  allows {', '.join(one.allowed)}" if one.what != "changed" else ""
        yield f"{_SIGNS[one.what]} {', '.join(names)}{allowed}"
        yield from (f"    {_setting(each)}" for each in one.settings)
        for told in one.changes:
            but = "".join(f", but not: {sessions_text(one)}" for one in told.but)
            yield f"    {sessions_text(told.sessions)}{but}"
            yield from (f"      {line}" for line in _change(told.change))


def sessions_text(sessions: "Sessions") -> str:
    """Whom something is about: `data health, from 2027-01-01`."""
    from shared.policy.moments import moment  # noqa: PLC0415 heavy

    said = []
    for field, word in _WORDS:
        values = getattr(sessions, field)
        if values is not None:
            said.append(f"{word} {', '.join(values)}" if values else f"{field} {_NONE}")
    if sessions.countries is not None:
        where = ", ".join(sessions.countries) or f"countries {_NONE}"
        said.append(f"callers in {where}")
    if sessions.from_ms is not None:
        said.append(f"from {moment(sessions.from_ms)}")
    if sessions.until_ms is not None:
        said.append(f"until {moment(sessions.until_ms)}")
    return "; ".join(said) or "every session"


def _change(change: "Change") -> Iterator[str]:
    for word, regions, link in (("lost", change.lost, "by"), ("gained", change.gained, "was")):
        for clause, names in _by_clause(regions).items():
            yield f"{word:<7} {', '.join(names)}  ({link} {clause})"
    yield from map(_setting, change.settings)


def _by_clause(regions: "Sequence[RegionChange]") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in regions:
        found.setdefault(one.clause, []).append(one.region)
    return found


def _setting(setting: "Setting") -> str:
    if setting.name == "in_effect":
        return "comes into effect" if setting.after else "is not in effect any more"
    if isinstance(setting.before, tuple) and isinstance(setting.after, tuple):
        gone = [f"-{one}" for one in setting.before if one not in setting.after]
        come = [f"+{one}" for one in setting.after if one not in setting.before]
        return f"{setting.name}: {' '.join([*come, *gone])}"
    return f"{setting.name}: {_value(setting.before)} -> {_value(setting.after)}"


def _value(value: "Plain") -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "none" if value is None else str(value)
