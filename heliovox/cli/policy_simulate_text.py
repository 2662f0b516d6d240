"""What a simulation came to, for people. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from heliovox.cli.display import printable
from heliovox.cli.tables import table

if TYPE_CHECKING:
    from control_plane.policies.limits import Exceeded
    from control_plane.policies.review import Review
    from control_plane.policies.tally import Counts, Example

_MOST_ROWS = 20
_COLUMNS = ("SESSIONS", "MOVED", "REFUSED", "WAIT", "SLOWER", "SERVED", "P95 MS", "COST USD")
_WORDS = {
    "max_refused_share": ("refused share", "sessions"),
    "max_moved_share": ("moved share", "sessions"),
    "max_waits_share": ("share of those who wait longer", "sessions"),
    "max_slower_share": ("slower share", "sessions"),
    "max_added_rtt_p95_ms": ("added round trip (p95 of the moved)", "sessions beyond it"),
    "max_added_cost_share": ("added cost share", "USD"),
}


def review_text(found: "Review") -> str:
    """All of it."""
    lines = [*_head(found), "", *_total(found.total), ""]
    lines += [table(["TENANT", *_COLUMNS], _tenants(found), " ".join(_COLUMNS)).rstrip("\n")]
    lines += ["", table(["HOUR", *_COLUMNS], _hours(found), " ".join(_COLUMNS)).rstrip("\n")]
    if found.examples:
        lines += ["", "examples (`heliovox why ID` tells of each as it was decided)"]
        lines += [f"  {_example(one)}" for one in found.examples]
    return "".join(f"{line}\n" for line in lines)


def _head(found: "Review") -> Iterator[str]:
    from shared.policy.moments import moment  # noqa: PLC0415 heavy

    when = "" if found.first_ms is None else (
        f", {moment(found.first_ms)} to {moment(found.last_ms)}"
    )  # fmt: skip
    yield printable(f"{', '.join(found.before) or '-'} -> {found.after}{when}")
    again = f"{found.decided_again} of {found.decisions} decisions made again"
    yield again + (f", {found.skipped} skipped" if found.skipped else "")
    if found.left_out:
        held = found.left_out_decisions
        how_many = "nobody knows how many" if held is None else str(held)
        yield f"left out: {found.left_out} damaged places of the log, {how_many} decisions"
    if found.direct:
        yield (
            f"{found.direct} sessions were admitted by nodes themselves and are not decided again; "
            f"{found.direct_forbidden} of them would not be allowed where they were"
        )


def _total(counts: "Counts") -> Iterator[str]:
    n = max(1, counts.sessions)
    yield f"sessions asked for   {counts.sessions}"
    yield f"placed               {counts.placed_before} -> {counts.placed_after}"
    for word, name in (
        ("placed elsewhere", "moved"), ("refused now", "refused"), ("served now", "served"),
        ("wait longer", "waits"), ("wait less", "sooner"), ("slower", "slower"),
    ):  # fmt: skip
        count = getattr(counts, name)
        yield f"{word:<20} {count} ({count / n:.2%})"
    median, p95 = counts.rtt_ms(0.5), counts.rtt_ms(0.95)
    yield f"{'added round trip':<20} {median:g} ms median, {p95:g} ms p95 of those elsewhere"
    yield f"{'cost':<20} {counts.cost_before_usd:.2f} -> {counts.cost_after_usd:.2f} USD"


def _tenants(found: "Review") -> list[list[str]]:
    """Who is hit most first."""
    rows = sorted(found.tenants.items(), key=lambda row: (-_hit(row[1]), row[0]))
    cells = [[tenant or "-", *_cells(counts)] for tenant, counts in rows[:_MOST_ROWS]]
    rest = len(rows) - _MOST_ROWS
    return [*cells, [f"{rest} more", *[""] * len(_COLUMNS)]] if rest > 0 else cells


def _hours(found: "Review") -> list[list[str]]:
    from control_plane.policies.tally import Counts  # noqa: PLC0415 heavy

    hours: dict[int, Counts] = {}
    for row in found.rows:
        hours.setdefault(row.hour_ms, Counts()).add(row.counts)
    return [[hour_text(hour_ms), *_cells(counts)] for hour_ms, counts in sorted(hours.items())]


def _hit(counts: "Counts") -> int:
    return counts.refused + counts.moved + counts.waits + counts.slower


def _cells(counts: "Counts") -> list[str]:
    added = round(counts.cost_after_usd - counts.cost_before_usd, 2) + 0.0  # never -0.00
    return [
        str(counts.sessions), str(counts.moved), str(counts.refused), str(counts.waits),
        str(counts.slower), str(counts.served), f"{counts.rtt_ms(0.95):g}", f"{added:+.2f}",
    ]  # fmt: skip


def _example(one: "Example") -> str:
    from shared.policy.moments import moment  # noqa: PLC0415 heavy

    changes = []
    if one.added_rtt_ms:
        changes.append(f"{one.added_rtt_ms:+g} ms")
    if abs(one.added_wait_s) >= 1:
        changes.append(f"waits {one.added_wait_s:+.1f} s")
    more = f" {', '.join(changes)}" if changes else ""
    where = f"{one.before or 'no seat'} -> {one.after or 'no seat'}"
    return printable(
        f"{one.change:<8} {one.decision}  {moment(one.at_ms)}  {one.tenant or '-'} {one.policy}  "
        f"{where}{more}  ({one.why})"
    )


def limit_text(one: "Exceeded") -> str:
    """A limit that is not kept, its value, and who is hit most."""
    name, unit = _WORDS[one.limit]
    option = "--" + one.limit.replace("_", "-")
    return (
        f"{name} {one.value:.4g} is above {option} {one.most:g}: most of it falls on tenant "
        f"{one.tenant or '-'} ({one.of_tenant:g} of {one.of_all:g} {unit}), and it is worst in the "
        f"hour from {hour_text(one.hour_ms)}"
    )


def hour_text(hour_ms: int) -> str:
    """`2027-01-31T09:00Z`, at midnight too."""
    from shared.policy.moments import moment  # noqa: PLC0415 heavy

    day, _, time = moment(hour_ms).partition("T")
    return f"{day}T{time[:5] or '00:00'}Z"
