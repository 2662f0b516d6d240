"""From an address to an open session: placed, connected, sent on, and placed anew if need be."""

import ssl
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

from websockets.asyncio.client import ClientConnection

from heliovox.client.address import stream_url
from heliovox.client.connecting import open_socket
from heliovox.client.errors import (
    CannotConnect,
    ClientError,
    ConnectionLost,
    NodeMisbehaved,
    Refused,
    TimedOut,
)
from heliovox.client.limits import Limits
from heliovox.client.machine import SessionMachine
from heliovox.client.mover import MAX_REDIRECTS
from heliovox.client.session import Session
from heliovox.client.waits import Waits
from heliovox.protocol.control import Placed, SessionRequest
from heliovox.protocol.messages import Redirect, Start


@dataclass(frozen=True, slots=True)
class Target:
    """Where to connect, and what to show there."""

    url: str
    authorization: str | None
    by_ticket: bool = False


@dataclass(frozen=True, slots=True)
class Wires:
    """How every connection of a client is made."""

    tls: ssl.SSLContext | None
    proxy: str | Literal[True] | None
    limits: Limits


class Places(Protocol):
    """Whoever finds a seat: the control plane."""

    url: str

    async def place(self, request: SessionRequest, waits: Waits | None = None) -> Placed:
        """A seat that is held, or Refused."""
        ...


class Opener:
    """Opens one session.

    Args:
        start: what the session is.
        wires: how to connect.
        acknowledge: see `Client.session`.
        waits: likewise.
    """

    def __init__(
        self, start: Start, wires: Wires, *, acknowledge: bool, waits: Waits | None = None
    ) -> None:
        self._start, self._wires, self._acknowledge = start, wires, acknowledge
        self._waits = waits

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
        placed = await places.place(request, self._waits)
        session = await self._follow(_by_ticket(placed.url, placed.ticket, places.url))
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
            target = _by_ticket(answer.url, answer.ticket, target.url)

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
        wires = self._wires
        socket = await self._connect(target)
        machine = SessionMachine(self._start)
        session = Session(
            socket,
            machine,
            wires.limits,
            acknowledge=self._acknowledge,
            reopen=partial(self._reopen, target.url),
        )
        opened = False
        try:
            redirect = await session.open(self._waits)
            opened = redirect is None
        finally:
            if not opened:
                await session.close()
        return redirect or session

    async def _connect(self, target: Target) -> ClientConnection:
        wires = self._wires
        return await open_socket(
            target.url,
            target.authorization,
            tls=wires.tls if target.url.startswith("wss:") else None,
            proxy=wires.proxy,
            limits=wires.limits,
        )

    async def _reopen(self, sent_by: str, redirect: Redirect) -> ClientConnection:
        return await self._connect(_by_ticket(redirect.url, redirect.ticket, sent_by))


class _GoneError(Exception):
    """The node that a ticket is for is not there any more."""

    def __init__(self, cause: ClientError) -> None:
        super().__init__(str(cause))
        self.cause = cause


def _by_ticket(url: str, ticket: str, sent_by: str) -> Target:
    """Where somebody sends us. Raises NodeMisbehaved for an address that we do not go to."""
    try:
        target = Target(stream_url(url), f"Ticket {ticket}", by_ticket=True)
    except ValueError as error:
        raise NodeMisbehaved(f"{sent_by} sends to an address that is none: {error}") from error
    if sent_by.startswith(("wss:", "https:")) and not target.url.startswith("wss:"):
        raise NodeMisbehaved(f"{sent_by} sends to {target.url}, where speech would be readable")
    return target
