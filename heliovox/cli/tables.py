"""Tables for terminals. Pure."""

from collections.abc import Sequence

from heliovox.cli.display import printable


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: str = "") -> str:
    """Columns as wide as their widest cell, two spaces between.

    Args:
        headings: in capitals, as `ps` has them.
        rows: as many cells each.
        right: the headings of columns that stand on the right, divided by spaces.
    """
    lines = [list(headings), *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(headings))]
    to_right = [heading in right.split() for heading in headings]
    return "".join(
        "  ".join(
            cell.rjust(width) if over else cell.ljust(width)
            for cell, width, over in zip(line, widths, to_right, strict=True)
        ).rstrip()
        + "\n"
        for line in lines
    )


def number(value: float | None, digits: int = 1) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def duration(seconds: float) -> str:
    """How long, in the two largest units."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
