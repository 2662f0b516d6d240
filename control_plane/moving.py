"""Moves live sessions: holds the seat, then tells the node that has the session."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from control_plane.claims import Claims
from control_plane.commands import Commands
from control_plane.decisions import Decisions
from control_plane.fleet import Fleet
from control_plane.orders import Because, Order
from control_plane.placing import Placer
from control_plane.seats_ahead import SeatsAhead
from control_plane.sessions.moving import (
    NotMovable,
    check_allowed,
    check_movable,
    order_to_move,
    place_of,
    under_way,
    without_for,
)
from control_plane.sessions.row import Row
from control_plane.sessions.table import SessionTable
from control_plane.world import WorldNow
from heliovox.protocol.control import Moved, Placed
from shared.clock import Clock, wall_ms
from shared.errors import BusFailed, VoiceError
from shared.exchange import MoveTo, SessionNote
from shared.geography import Located
from shared.tasks import Tasks


@dataclass(slots=True)
class Means:
    """What moving works with."""

    table: SessionTable
    ahead: SeatsAhead
    claims: Claims
    """So that of several control planes one moves a session."""
    placer: Placer
    commands: Commands
    decisions: Decisions
    """Say where a caller is."""
    fleet: Fleet
    world: Callable[[], WorldNow]
    """Of now."""
    clock: Clock
    tasks: Tasks
    """Own what follows an answer."""
    claim_s: float
    """How long a session may take to get there."""


class Moving:
    """Carries moves out."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._claimed: dict[str, int] = {}
        """Sessions on their way that we sent there, by the number of their token."""
        self.outcomes: Counter[str] = Counter()
        """Moves by what became of them: `told`, or an error's code."""

    async def move(self, session: str, to: str | None, because: Because = "moved") -> Moved:
        """A seat is held at another node, and its own node was told to send the session there.

        Raises:
            NotFound, NotMovable, MoveUnderWay, NotAllowed: before anything happened.
            NoRoom, BusFailed, Overloaded: there is no seat; nothing happened.
            CommandRefused: the node will not let it go; the seat is given back.
        """
        try:
            moved = await self._move(session, to, because)
        except VoiceError as error:
            self.outcomes[error.code] += 1
            raise
        self.outcomes["told"] += 1
        return moved

    async def _move(self, session: str, to: str | None, because: Because) -> Moved:
        row = check_movable(self._means.table.get(session), session, self._means.ahead.of(session))
        order = await self._order(row, to, because)
        if not await self._means.claims.take(session, self._means.claim_s):
            raise under_way(session)
        try:
            placed = await self._means.placer.attempt(order)
            await self._tell(row, placed, because)
        except BaseException:
            self._means.ahead.give_back(session)
            self._give_up(session)
            raise
        self._claimed[session] = row.recovery_number
        return Moved(session, row.node, placed.node, placed.region, placed.decision)

    async def _order(self, row: Row, to: str | None, because: Because) -> Order:
        view, world = self._means.fleet.view(self._means.clock.now_s()), self._means.world()
        without = without_for(row, to, view)
        at = place_of(row, await self._place(row), world)
        order = order_to_move(row, world, at, because, without, wall_ms())
        check_allowed(to, order.policy, view)
        return order

    async def _place(self, row: Row) -> Located | None:
        """Where its caller is, by the decision that led to it."""
        if row.decision is None:
            return None
        try:
            decided = await self._means.decisions.decision(row.decision)
        except BusFailed:
            return None
        if decided is None or decided.place is None:
            return None
        return Located(decided.place, decided.place_source)  # type: ignore[arg-type]

    async def _tell(self, row: Row, placed: Placed, because: Because) -> None:
        now = self._means.table.get(row.session)
        if now is None or now.state != "live" or now.boot != row.boot:
            raise NotMovable(
                "the session ended, or lost its connection, meanwhile",
                field="session",
                value=row.session,
                remedy="nothing: its caller goes on by himself, if he does",
            )
        await self._means.commands.move(
            row.region,
            row.node,
            row.session,
            MoveTo(
                url=placed.url,
                ticket=placed.ticket,
                node=placed.node,
                region=placed.region,
                decision=placed.decision,
                reason=because,
                expires_s=placed.expires_s,
            ),
        )

    def noted(self, note: SessionNote) -> None:
        """What a node says: a session is there, or over, and may be moved on."""
        number = self._claimed.get(note.session)
        if number is None:
            return
        if note.event == "ended" or note.recovery_number > number:
            self._give_up(note.session)

    def each_second(self) -> None:
        """Gives up claims of sessions that did not come."""
        for session in [one for one in self._claimed if self._means.ahead.of(one) is None]:
            self._give_up(session)

    def _give_up(self, session: str) -> None:
        self._claimed.pop(session, None)
        _ = self._means.tasks.begin(self._given_up(session), "a claim given up")

    async def _given_up(self, session: str) -> None:
        try:
            await self._means.claims.give_up(session)
        except BusFailed:
            return  # its time will be up
