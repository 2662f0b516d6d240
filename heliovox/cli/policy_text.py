"""Who may go where, as a table for people. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from heliovox.cli.display import printable
from heliovox.cli.tables import table

if TYPE_CHECKING:
    from shared.regions.explaining import Cell, Row

_KEY = (
    ("home", "may be a caller's home region, where it is the nearest"),
    ("home+", "and takes sessions from other home regions, when those are full"),
    ("first", "a home region that is preferred to all that are not; first+ takes others' too"),
)


def matrix_text(rows: "Sequence[Row]", regions: Sequence[str], clauses: Sequence[str]) -> str:
    """The table, and what its cells mean.

    Args:
        rows: of the table.
        regions: its columns, by name.
        clauses: that take regions away: cells name them by number.
    """
    numbers = {clause: f"[{number}]" for number, clause in enumerate(clauses, 1)}
    headings = ["POLICY", "RULES", "WHEN FULL", "EXPIRED", "FORBIDDEN", "LOST", *regions]
    lines = [
        [row.policy, " ".join(row.rules) or "-", _when_full(row), *_held_to(row)]
        + [_cell(row.cells.get(region), numbers) for region in regions]
        for row in rows
    ]
    notes = [f"{row.policy}: {row.not_in_effect}" for row in rows if row.not_in_effect]
    legend = [f"{word:<6} {meaning}" for word, meaning in _KEY]
    legend += [f"{number:<6} {clause}" for clause, number in numbers.items()]
    below = "".join(f"{printable(line)}\n" for line in ["", *legend, *notes])
    return table(headings, lines) + below


def _when_full(row: "Row") -> str:
    if row.when_full is None:
        return "-"
    waits = f" {row.wait_s:g} s" if row.when_full == "wait" else ""
    from_load = 1.0 if row.from_load is None else row.from_load
    spills = f", from {from_load:.0%}" if from_load < 1 else ""
    return f"{row.when_full}{waits}{spills}"


def _held_to(row: "Row") -> tuple[str, str, str]:
    """What happens once rules have expired, where newer ones forbid, and where a node is lost."""
    if row.when_forbidden is None:
        return "-", "-", "-"
    expired = f"+{row.after_expiry_s} s" if row.after_expiry_s else "refuse"
    return "restricted" if row.restricted else expired, row.when_forbidden, _goes_on(row)


def _goes_on(row: "Row") -> str:
    if row.recovery_s is None:
        return "node's"
    return f"+{row.recovery_s:g} s" if row.recovery_s else "ends"


def _cell(cell: "Cell | None", numbers: dict[str, str]) -> str:
    if cell is None:
        return "-"
    if cell.removed_by is not None:
        return numbers[cell.removed_by]
    return ("first" if cell.preferred else "home") + ("+" if cell.overflow else "")
