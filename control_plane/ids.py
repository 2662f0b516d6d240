"""Names for what the centre makes: unguessable where they open something, telling where not."""

import secrets
from collections.abc import Callable

NewId = Callable[[], str]

BATCH_DECISIONS = 32
"""Decisions whose ids begin alike: they are kept together, so that keeping them costs little."""
BATCH_MS = 250
_BATCH_DIGITS, _TAIL_DIGITS = 11, 13


def random_id() -> str:
    """64 random bits: a session's or a reservation's."""
    return secrets.token_hex(8)


def decision_ids(plane: str, wall_ms: Callable[[], int]) -> NewId:
    """Makes ids of decisions: the control plane, the moment that their batch began, a number in it.

    They sort by time within one control plane, and no two are equal while its clock does not run
    backwards over a restart.

    Args:
        plane: the control plane.
        wall_ms: milliseconds since 1970.
    """
    batch_ms = number = -1

    def new() -> str:
        nonlocal batch_ms, number
        now_ms = wall_ms()
        number += 1
        if batch_ms < 0 or number == BATCH_DECISIONS or now_ms - batch_ms >= BATCH_MS:
            batch_ms, number = max(now_ms, batch_ms + 1), 0
        return f"{plane}-{batch_ms:0{_BATCH_DIGITS}x}{number:02x}"

    return new


def plane_of(decision_id: str) -> str | None:
    """The control plane that made a decision; None where it is no decision's id."""
    plane, dash, tail = decision_id.rpartition("-")
    return plane if dash and plane and len(tail) == _TAIL_DIGITS else None


def batch_of(decision_id: str) -> str:
    """The batch that a decision is kept with."""
    return decision_id.rpartition("-")[2][:_BATCH_DIGITS]
