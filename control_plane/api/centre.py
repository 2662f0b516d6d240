"""What the routes need of the control plane: a facade, so that they know of no bus and no loop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from litestar.di import NamedDependency
from litestar.params import SkipValidation

from control_plane.orders import Order
from control_plane.repeats import Repeats
from control_plane.sessions.table import SessionTable
from control_plane.sessions.usage import Usage
from control_plane.tenants.keys import KeyRecord, Keyring
from control_plane.waiting.hall import Gone
from control_plane.world import WorldNow
from heliovox.protocol.control import (
    DecisionView,
    InLine,
    Moved,
    NearestView,
    NodeView,
    Placed,
    RegionView,
    ResumeRequest,
)
from heliovox.protocol.draining import DrainView
from heliovox.protocol.messages import Place
from shared.exchange import Bundle
from shared.ledger.heads import Witnessed
from shared.metrics import Metrics

Check = Callable[[], str | None]
"""None where all is well, else what is wrong."""


class Placing(Protocol):
    """Finds seats."""

    async def place(self, order: Order, gone: Gone = ...) -> Placed | InLine:
        """A seat, held, or a place in line. Raises VoiceError with the decision's id."""
        ...

    async def look(
        self, waiting: str, owner: tuple[str, ...], wait_s: float, after: int | None = None
    ) -> Placed | InLine:
        """How an order in line stands. Raises VoiceError: the refusal that it ended with."""
        ...

    async def leave(self, waiting: str, owner: tuple[str, ...]) -> None:
        """Ends the wait. Raises NotFound, BusFailed."""
        ...

    def nearest(self, order: Order, most: int) -> Sequence[NearestView]:
        """Where it would go, best first; holds nothing. Raises VoiceError."""
        ...


class GoingOn(Protocol):
    """Finds seats for sessions that go on elsewhere."""

    async def resume(
        self, session: str, asked: ResumeRequest, who: KeyRecord, own_address: str | None
    ) -> Placed:
        """A seat, held, for the same session. Raises VoiceError."""
        ...


class Fleets(Protocol):
    """Shows the fleet."""

    def nodes(self) -> Sequence[NodeView]:
        """Every node that is known."""
        ...

    def regions(self) -> Sequence[RegionView]:
        """Every region of the world."""
        ...


class Moving(Protocol):
    """Moves live sessions."""

    async def move(self, session: str, to: str | None) -> Moved:
        """A seat is held elsewhere, and its node was told. Raises VoiceError."""
        ...


class Draining(Protocol):
    """Empties nodes. Every method raises NotFound and BusFailed."""

    async def drain(self, node: str, *, keep: bool) -> DrainView:
        """Nobody new, and with `keep` whoever is there may stay. Raises CommandRefused, too."""
        ...

    async def undrain(self, node: str) -> None:
        """Sessions come again. Raises CommandRefused, too."""
        ...

    async def view(self, node: str) -> DrainView:
        """How far its sessions are gone."""
        ...


class Explaining(Protocol):
    """Knows decisions."""

    async def decision(self, decision_id: str) -> DecisionView | None:
        """One that this control plane or another made. Raises BusFailed."""
        ...


class Ending(Protocol):
    """Ends sessions."""

    async def end(self, session: str) -> None:
        """Raises BusFailed, CommandRefused."""
        ...


class Ledgers(Protocol):
    """States what the centre knows of nodes' ledgers."""

    async def files(self, from_ms: int, until_ms: int | None) -> dict[str, bytes]:
        """The centre's files of a bundle. Raises InvalidMessage, TooBig, BusFailed."""
        ...

    async def heads(self) -> list[Witnessed]:
        """The last head of every ledger. Raises TooBig, BusFailed."""
        ...


@dataclass(slots=True)
class Centre:
    """The control plane as its HTTP sees it."""

    keyring: Callable[[], Keyring]
    world: Callable[[], WorldNow]
    bundle: Callable[[], Bundle]
    fallback: Callable[[], Place | None]
    placing: Placing
    going_on: GoingOn
    moving: Moving
    draining: Draining
    fleets: Fleets
    explaining: Explaining
    ending: Ending
    ledger: Ledgers
    table: SessionTable
    usage: Usage
    checks: Mapping[str, Check]
    metrics: Metrics
    repeats: Repeats[Placed | InLine]


Centred = NamedDependency[SkipValidation[Centre]]
Who = NamedDependency[SkipValidation[KeyRecord]]
