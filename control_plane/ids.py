"""Names for what the centre makes: unguessable where they open something, telling where not."""

import secrets
from collections.abc import Callable

NewId = Callable[[], str]


def random_id() -> str:
    """64 random bits: a session's or a reservation's."""
    return secrets.token_hex(8)


def decision_ids(plane: str) -> NewId:
    """Makes ids of decisions; which control plane made one can be read off it."""

    def new() -> str:
        return f"{plane}-{secrets.token_hex(6)}"

    return new


def plane_of(decision_id: str) -> str | None:
    """The control plane that made a decision; None where it is no decision's id."""
    plane, dash, tail = decision_id.rpartition("-")
    return plane if dash and plane and len(tail) == 12 else None
