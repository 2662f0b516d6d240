"""How far a node that is drained is, as the control plane tells it."""

import msgspec


class Stays(msgspec.Struct, frozen=True):
    """A session that cannot leave a node that is drained."""

    session: str
    code: str
    """Of the error that says why: `not_movable`, `no_room`, `command_refused`, ..."""
    message: str


class DrainView(msgspec.Struct, frozen=True):
    """`POST` and `GET /v1/nodes/{node}/drain`: how far the sessions of a node are gone."""

    node: str
    draining: bool
    """Whether it takes nobody new."""
    keeps: bool
    """Whether its sessions stay until they end."""
    live: int
    """Sessions there now, those that are on their way among them."""
    moving: int
    """On their way."""
    moved: int
    """Live at another node by now."""
    stays: tuple[Stays, ...]
    """At most 1000 of them."""
    done: bool
    """Whether nobody is there but who stays."""
