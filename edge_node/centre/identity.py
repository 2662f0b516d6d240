"""Which node this is, and which start of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """What a node of a fleet says of itself that does not change while it runs."""

    node: str
    region: str
    boot: str
    """Sorts by time of start."""


def boot_of(now_s: float, entropy: bytes) -> str:
    """A name for a start of a node: later ones sort behind, and no two are equal.

    Args:
        now_s: seconds since 1970.
        entropy: some random bytes.
    """
    return f"{round(now_s * 1000):013d}-{entropy.hex()}"
