"""Goes on with a session over another connection, and tells the next node what it missed.

Those who send meanwhile need not wait: what they send is kept, and goes the same way as all that
was kept before.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from heliovox.client.errors import ClientError, ConnectionLost, NodeMisbehaved, Refused, TimedOut
from heliovox.client.events import Event, Reconnecting, Resumed
from heliovox.client.limits import Limits
from heliovox.client.machine import SessionMachine
from heliovox.client.outbox import Outbox
from heliovox.client.roads import Roads
from heliovox.client.ways import Way, Ways, backoff_s
from heliovox.protocol import messages as m
from heliovox.protocol.codec import encode
from heliovox.protocol.control import ResumeRequest, SessionRequest

MAX_REDIRECTS = 3
"""A node sends on to a seat that is held, so one is usual; more are a race, and many a circle."""
SAME_SESSION = frozenset({"moved", "draining"})
"""Reasons of a `redirect` that leads to the same session; any other leads to a new one."""


@dataclass(frozen=True, slots=True)
class Loss:
    """What happened to a connection."""

    error: ClientError
    """Raised where the session cannot be gone on with."""
    redirect: m.Redirect | None = None
    """Where the node sends the session."""
    silent: bool = False
    """The node gave no sign of life: another connection to it would not either."""


class Mover:
    """Of one session.

    Args:
        machine: what is known of it.
        outbox: what sends.
        roads: how to connect.
        limits: for how long.
        chance: draws from 0 to 1, for the time between attempts.
    """

    def __init__(
        self,
        machine: SessionMachine,
        outbox: Outbox,
        roads: Roads,
        limits: Limits,
        chance: Callable[[], float],
    ) -> None:
        self._machine, self._outbox, self._roads = machine, outbox, roads
        self._limits, self._chance = limits, chance
        self._piece_bytes = limits.piece_bytes
        self._reached: str | None = None
        self._resumes = True
        self._present: ClientConnection | None = None
        """The connection that the session is open on; None while another one is sought."""

    async def go_on(self, loss: Loss, tell: Callable[[Event], None]) -> ClientConnection:
        """The next connection, with the session open on it.

        Args:
            loss: of the connection before.
            tell: of what becomes of it.

        Raises:
            ClientError: there is none, and the session is over.
        """
        loop = asyncio.get_running_loop()
        lost_s, self._present = loop.time(), None
        self._resumes = self._goes_on(loss)
        ways = self._ways(loss)
        expires_s = self._expires_s()
        try:
            async with asyncio.timeout(expires_s):
                socket = await self._by_some_way(ways, loss, tell)
        except TimeoutError as error:
            raise _given_up(loss.error, ways, expires_s) from error
        started = self._machine.started
        assert started is not None
        pause_ms = round((loop.time() - lost_s) * 1000)
        tell(Resumed(started.node, started.region, pause_ms))
        for event in self._machine.losses():
            tell(event)
        self._present = socket
        return socket

    async def catch_up(self, socket: ClientConnection) -> None:
        """Returns with nothing left to say, and without a pause since that was so.

        Or when the session has left this connection: what is unsaid then, is so to the next node.

        Raises:
            ConnectionClosed: lost again.
            ClientError: what would have to be said is forgotten.
        """
        told = self._machine.acknowledged
        if self._machine.recovers:  # shows that the new token has come
            await self._say(socket, self._machine.ack() or m.KeepAlive())
        while self._present is socket and (unsaid := self._machine.unsaid(self._piece_bytes)):
            for one in unsaid:
                await self._say(socket, one)
        if self._present is not socket:
            return
        self._outbox.go_on(socket)
        if told != self._machine.acknowledged and (ack := self._machine.ack()) is not None:
            await self._say(socket, ack)

    # --- by which way? ---

    def _goes_on(self, loss: Loss) -> bool:
        """By token; else, where the node sends us to a new session, by counting on."""
        same = loss.redirect is None or loss.redirect.reason in SAME_SESSION
        return same and self._machine.recovers

    def _ways(self, loss: Loss) -> Ways:
        sent = [Way.SENT] if loss.redirect is not None else []
        if not self._resumes:
            return Ways(sent)
        started = self._machine.started
        assert started is not None
        if self._roads.centre(self._url()) is None:
            return Ways([*sent, Way.HERE])
        if loss.silent:
            return Ways([*sent, Way.ELSEWHERE, Way.HERE], (started.node,))
        return Ways([*sent, Way.HERE, Way.ELSEWHERE])

    def _url(self) -> str | None:
        recovery = self._machine.footing.recovery
        return None if recovery is None else recovery.url

    def _expires_s(self) -> float | None:
        recovery = self._machine.footing.recovery
        return recovery.expires_s if self._resumes and recovery is not None else None

    async def _by_some_way(
        self, ways: Ways, loss: Loss, tell: Callable[[Event], None]
    ) -> ClientConnection:
        error = loss.error
        while True:
            await asyncio.sleep(backoff_s(ways.attempts, self._chance()))
            way = ways.next()
            if loss.redirect is None or ways.attempts > 1:
                tell(Reconnecting(ways.attempts, str(error)))
            self._reached = None
            try:
                return await self._by(way, ways, loss)
            except ClientError as failed:
                error = failed
            if isinstance(error, Refused) and error.code == "resume_refused":
                self._machine.footing.other_token()
            if (over := ways.failed(way, error, self._reached)) is not None:
                raise over

    async def _by(self, way: Way, ways: Ways, loss: Loss) -> ClientConnection:
        match way:
            case Way.SENT:
                assert loss.redirect is not None
                return await self._sent(loss.redirect)
            case Way.HERE:
                started = self._machine.started
                self._reached = None if started is None else started.node
                socket = await self._roads.here()
                return await self._settled(socket, self._roads.target.url)
            case Way.ELSEWHERE:
                return await self._elsewhere(ways.without)

    async def _sent(self, redirect: m.Redirect, sent_by: str | None = None) -> ClientConnection:
        self._reached = redirect.node
        socket = await self._roads.there(redirect.url, redirect.ticket, sent_by)
        return await self._settled(socket, redirect.url)

    async def _elsewhere(self, without: tuple[str, ...]) -> ClientConnection:
        footing, start = self._machine.footing, self._machine.start
        centre, started = self._roads.centre(self._url()), footing.started
        assert centre is not None
        assert started is not None
        asked = ResumeRequest(footing.token or "", request_of(start), without)
        try:
            async with asyncio.timeout(self._limits.replace_s):
                placed = await centre.resume(started.session, asked)
        except TimeoutError as error:
            raise TimedOut(f"an answer from {centre.url}", self._limits.replace_s) from error
        self._reached = placed.node
        socket = await self._roads.there(placed.url, placed.ticket, centre.url)
        return await self._settled(socket, placed.url)

    # --- and there ---

    async def _settled(self, socket: ClientConnection, url: str) -> ClientConnection:
        """Open there, or where that node sends us."""
        for _ in range(MAX_REDIRECTS):
            open_ = False
            try:
                answer = await self._knock(socket)
                open_ = isinstance(answer, m.Started)
            finally:
                if not open_:  # without a farewell: that would end the session
                    socket.transport.abort()
            if isinstance(answer, m.Started):
                self._roads.settle(url)
                return socket
            self._reached = answer.node
            socket = await self._roads.there(answer.url, answer.ticket, url)
            url = answer.url
        socket.transport.abort()
        raise NodeMisbehaved(f"sent on {MAX_REDIRECTS} times, at last by {url}; report it")

    async def _knock(self, socket: ClientConnection) -> "m.Started | m.Redirect":
        limit_s = self._limits.reach_s if self._resumes else self._limits.open_s
        hello = self._machine.hello() if self._resumes else self._machine.start
        try:
            async with asyncio.timeout(limit_s):
                await self._say(socket, hello)
                answer = self._machine.text(await socket.recv())
                while isinstance(answer, m.Waiting):
                    answer = self._machine.text(await socket.recv())
        except ConnectionClosed as error:
            raise ConnectionLost(None, "the next node closed the connection") from error
        except TimeoutError as error:
            raise TimedOut("the next node's answer", limit_s) from error
        if not isinstance(answer, (m.Started, m.Redirect)):
            raise NodeMisbehaved(f"{type(answer).__name__} where started belongs")
        return answer

    async def _say(self, socket: ClientConnection, one: bytes | m.ClientMessage) -> None:
        if isinstance(one, bytes):
            await socket.send(one)
        else:
            await socket.send(encode(one), text=True)


def request_of(start: m.Start) -> SessionRequest:
    """What a control plane is told of a session."""
    return SessionRequest(
        start.kind,
        start.language,
        start.model,
        start.policy,
        start.place,
        start.country,
        data=start.data,
    )


def _given_up(error: ClientError, ways: Ways, after_s: float | None) -> ClientError:
    if not isinstance(error, ConnectionLost):
        return error
    tried = f"{error.reason}; given up after {after_s or 0:g} s: tried {ways.tried() or 'nothing'}"
    return ConnectionLost(error.code, tried)
