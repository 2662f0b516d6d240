"""From an address to an open session: placed, connected, sent on, and placed anew if need be."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from heliovox.client.errors import (
    CannotConnect,
    ClientError,
    ConnectionLost,
    NodeMisbehaved,
    Refused,
    TimedOut,
)
from heliovox.client.machine import SessionMachine
from heliovox.client.mover import MAX_REDIRECTS, Mover
from heliovox.client.outbox import Outbox
from heliovox.client.roads import Centres, Roads, Target, Wires, by_ticket
from heliovox.client.session import Session
from heliovox.client.waits import Waits
from heliovox.protocol.control import Placed, SessionRequest
from heliovox.protocol.messages import Redirect, Start


class Places(Protocol):
    """Whoever finds a seat: the control plane."""

    url: str

    async def place(self, request: SessionRequest, waits: Waits | None = None) -> Placed:
        """A seat that is held, or Refused."""
        ...


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a session is handled; see `Client.session`."""

    acknowledge: bool
    waits: Waits | None = None
    live: bool = False


@dataclass(frozen=True, slots=True)
class Again:
    """How a session whose connection is lost is gone on with."""

    key: str | None
    """What shows who calls, where no ticket does."""
    centres: Centres
    chance: Callable[[], float]
    """Draws from 0 to 1."""


class Opener:
    """Opens one session.

    Args:
        start: what the session is.
        wires: how to connect.
        again: how to go on with it.
        wanted: how it is handled.
    """

    def __init__(self, start: Start, wires: Wires, again: Again, wanted: Wanted) -> None:
        self._start, self._wires = start, wires
        self._again, self._wanted = again, wanted

    async def at(self, target: Target) -> Session:
        """A session with the node at `target`, or with the one it sends on to.

        A node that a ticket was for and that cannot be reached is asked about anew, once.
        """
        try:
            return await self._follow(target)
        except _GoneError:
            return await self._last_try(target)

    async def through(self, places: Places, request: SessionRequest) -> Session:
        """A session wherever the control plane finds a seat; placed anew once, if it is gone."""
        try:
            return await self._placed(places, request)
        except _GoneError:
            try:
                return await self._placed(places, request)
            except _GoneError as gone:
                raise gone.cause from None

    async def _placed(self, places: Places, request: SessionRequest) -> Session:
        placed = await places.place(request, self._wanted.waits)
        session = await self._follow(by_ticket(placed.url, placed.ticket, places.url))
        session.placed = placed
        return session

    async def _last_try(self, target: Target) -> Session:
        try:
            return await self._follow(target)
        except _GoneError as gone:
            raise gone.cause from None

    async def _follow(self, target: Target) -> Session:
        redirects: list[Redirect] = []
        while True:
            answer = await self._knock(target)
            if isinstance(answer, Session):
                answer.redirects = tuple(redirects)
                return answer
            redirects.append(answer)
            if len(redirects) > MAX_REDIRECTS:
                raise NodeMisbehaved(
                    f"sent on {len(redirects)} times, at last by {target.url}; report it"
                )
            target = by_ticket(answer.url, answer.ticket, target.url)

    async def _knock(self, target: Target) -> Session | Redirect:
        try:
            return await self._open(target)
        except (CannotConnect, ConnectionLost, TimedOut) as error:
            if target.by_ticket:
                raise _GoneError(error) from error
            raise
        except Refused as error:  # of a node that was started again since it gave the seat
            if target.by_ticket and error.code == "ticket_refused":
                raise _GoneError(error) from error
            raise

    async def _open(self, target: Target) -> Session | Redirect:
        limits, wanted = self._wires.limits, self._wanted
        session = Session(
            await self._wires.connect(target),
            SessionMachine(self._start, limits.kept_s),
            limits,
            acknowledge=wanted.acknowledge,
            live=wanted.live,
            goes_on=partial(self._mover, target),
        )
        opened = False
        try:
            redirect = await session.open(wanted.waits)
            opened = redirect is None
        finally:
            if not opened:
                await session.close()
        return redirect or session

    def _mover(self, target: Target, machine: SessionMachine, outbox: Outbox) -> Mover:
        again = self._again
        roads = Roads(self._wires, again.key, target, again.centres)
        return Mover(machine, outbox, roads, self._wires.limits, again.chance)


class _GoneError(Exception):
    """The node that a ticket is for is not there any more."""

    def __init__(self, cause: ClientError) -> None:
        super().__init__(str(cause))
        self.cause = cause
