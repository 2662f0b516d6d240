"""One connection to NATS: kept up for ever, and what it costs when it is down. Imports nats.

nats-py reconnects by itself, but gives up for good where the server throws it out, and tries for
ever inside its first `connect`. So attempts are ours, one at a time, and a client that closed is
replaced by a new one.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error, FlushTimeoutError, NoRespondersError, SlowConsumerError

from shared.bus.denials import Denial, Denials, denial_of, is_unknown_to_server
from shared.bus.matching import MAX_BYTES, checked
from shared.errors import BusFailed, BusRefused
from shared.tasks import Tasks

log = logging.getLogger(__name__)

HELD_BYTES = 1 << 18
"""Held back for the server's return."""
UNSENT_BYTES = 1 << 20
"""A connected server that has not taken so much is waited for before there is more."""
PING_S, PINGS = 1, 2
"""A server that hangs is noticed after about three of these."""
CONNECT_S = 2
RETRY_S = 0.25
REFUSED_RETRY_S = 5.0
"""Credentials that were refused are not mended by haste."""
_FLUSH_S = 1
_LATE_S = 0.05
"""A limit that is noticed so much too late says that we were busy: an answer may be here unread."""
_LATE_TIMES = 4
"""It is then looked again so often at most."""
_STUCK_S = 30.0
"""A client that has not reconnected by then is given up for a new one."""


class NoAnswer(BusFailed):
    """Time ran out; asking again may help."""


class NobodyThere(BusFailed):
    """Nobody listens on the subject."""


class _Wait:
    """Somebody who waits for an answer, and can be told at once that none will come."""

    def __init__(self, subject: str, limit: asyncio.Timeout, timeout_s: float) -> None:
        self.subject, self._limit = subject, limit
        self.why: BusFailed | None = None
        self._loop = asyncio.get_running_loop()
        self._looks = 0
        self._look_in(timeout_s)

    def _look_in(self, seconds: float) -> None:
        self._due_s = self._loop.time() + seconds
        self._timer = self._loop.call_at(self._due_s, self._look)

    def _look(self) -> None:
        """Time is up, unless it is us who are late: timers run before what came is read."""
        self._looks += 1
        if self._loop.time() - self._due_s > _LATE_S and self._looks <= _LATE_TIMES:
            self._look_in(_LATE_S)
        elif not self._limit.expired():
            self._limit.reschedule(self._loop.time())

    def end(self) -> None:
        """Nobody waits any more."""
        self._timer.cancel()

    def fail(self, why: BusFailed) -> None:
        self.why = why
        if not self._limit.expired():
            self._limit.reschedule(asyncio.get_running_loop().time())


class Link:
    """A connection, and who waits on it.

    Args:
        url: `nats://host:port`.
        seed_file: of the nkey to connect with; read again for every connection. None: without.
        name: what the server calls us in its lists.
        inbox_prefix: where answers come to.
        connected: told of every new client, before anything else is sent on it.
    """

    def __init__(
        self,
        url: str,
        seed_file: Path | None,
        *,
        name: str,
        inbox_prefix: str,
        connected: Callable[[Client], Awaitable[None]],
    ) -> None:
        self._url, self._seed_file, self._name = url, seed_file, name
        self._inbox_prefix, self._on_connected = inbox_prefix, connected
        self._client: Client | None = None
        self._trying = False
        self._closed = False
        self._up, self._over = asyncio.Event(), asyncio.Event()
        self._held: deque[tuple[str, bytes, str, Mapping[str, str] | None]] = deque()
        self._waiting: set[_Wait] = set()
        self._tasks = Tasks()
        self._discards = Tasks()
        """Not cancelled with the others: what is half closed stays open."""
        self._failure: BusFailed | None = None
        self.losses = 0
        """How often the connection was lost: what was asked before will not be answered."""
        self.denials = Denials()
        self.dropped = 0
        """Messages that came faster than the event loop could hand them on."""

    @property
    def connected(self) -> bool:
        """Whether a server answers."""
        return not self._closed and self._client is not None and self._client.is_connected

    def begin(self) -> None:
        """Connects, now and for ever."""
        _ = self._tasks.begin(self._stay(), name="connection to the message bus")

    async def up(self, within_s: float | None = None) -> None:
        """Returns once connected. Raises BusFailed and, while it cannot get better, BusRefused."""
        try:
            async with asyncio.timeout(within_s):
                while not self.connected:
                    if self._closed:
                        raise BusFailed("the message bus was closed")
                    if isinstance(self._failure, BusRefused):
                        raise self._failure
                    self._up.clear()
                    await self._up.wait()
        except TimeoutError:
            why = f": {self._failure}" if self._failure else ""
            raise BusFailed(
                f"no message bus at {self._url} within {within_s:g} s{why}",
                field="bus.url",
                value=self._url,
                remedy="start nats-server there, or mend the address",
            ) from None

    def client(self) -> Client:
        """Of a connection that is up. Raises BusFailed."""
        if self._closed:
            raise BusFailed("the message bus was closed")
        if self._client is None or not self._client.is_connected:
            raise BusFailed("the message bus is not connected")
        return self._client

    async def publish(
        self, subject: str, data: bytes, reply: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        """See Bus."""
        if self._closed:
            raise BusFailed("the message bus was closed")
        if len(data) > MAX_BYTES:
            raise BusFailed(f"{len(data)} bytes on {subject}: at most {MAX_BYTES} are taken")
        if (client := self._client) is None:
            self._hold(subject, data, reply, headers)
            return
        try:
            if client.is_connected and client.pending_data_size > UNSENT_BYTES:
                await client.flush(timeout=_FLUSH_S)
            elif not client.is_connected and client.pending_data_size + len(data) > HELD_BYTES:
                raise BusFailed("the message bus is away, and no more can be held back for it")
            await client.publish(subject, data, reply=reply, headers=_plain(headers))
        except (Error, OSError) as error:
            raise BusFailed(f"nothing sent on {subject}: {_said(error)}") from None

    async def ask(
        self, subject: str, data: bytes, timeout_s: float, headers: Mapping[str, str] | None = None
    ) -> Msg:
        """One answer. Raises NoAnswer, BusRefused, BusFailed."""
        client = self.client()
        if len(data) > MAX_BYTES:
            raise BusFailed(f"{len(data)} bytes on {subject}: at most {MAX_BYTES} are taken")
        if self.denials.deaf:
            raise BusRefused(f"answers to {self._inbox_prefix} are denied to {self._name}")
        return await self.waiting(
            subject,
            client.request(subject, data, timeout=timeout_s + 1, headers=_plain(headers)),
            timeout_s,
        )

    async def waiting(self, subject: str, work: Awaitable[Msg], timeout_s: float) -> Msg:
        """What `work` returns; fails as soon as the connection is lost or the subject denied."""
        wait: _Wait | None = None
        before = _cancellations()
        try:
            async with asyncio.timeout(None) as limit:
                wait = _Wait(subject.lower(), limit, timeout_s)
                self._waiting.add(wait)
                answer = await work
        except TimeoutError:
            if wait is not None and wait.why is not None:
                raise wait.why from None
            raise NoAnswer(f"no answer on {subject} within {timeout_s:g} s") from None
        except NoRespondersError:
            raise NobodyThere(f"nobody listens on {subject}") from None
        except (Error, OSError) as error:
            raise BusFailed(f"asking on {subject} failed: {_said(error)}") from None
        finally:
            if wait is not None:
                wait.end()
                self._waiting.discard(wait)
        if _cancellations() > before:  # Python 3.11's wait_for loses one that comes with the answer
            raise asyncio.CancelledError
        return answer

    async def flush(self, timeout_s: float = 2.0) -> None:
        """Returns once the server has dealt with everything sent so far. Raises BusFailed."""
        try:
            # nats-py writes its ping past the commands that wait to be written: the answer to the
            # first one only says that they are written by now
            for _ in range(2):
                await self.client().flush(timeout=timeout_s)  # type: ignore[arg-type]
        except (Error, OSError) as error:
            raise BusFailed(f"the message bus does not answer: {_said(error)}") from None

    async def close(self, within_s: float) -> None:
        """Sends what is held back, and ends."""
        if self._closed:
            return
        try:
            async with asyncio.timeout(within_s):
                if self.connected:
                    await self.flush(within_s)
        except (TimeoutError, BusFailed) as error:
            log.warning("closing the message bus before all was sent: %s", error)
        self._closed = True
        self._lost(BusFailed("the message bus was closed"))
        self._up.set()
        await self._tasks.end()
        await self._discards.settle(within_s)
        await self._discards.end()

    async def _stay(self) -> None:
        while True:
            failure = await self._one_client()
            await asyncio.sleep(REFUSED_RETRY_S if isinstance(failure, BusRefused) else RETRY_S)

    async def _one_client(self) -> BusFailed:
        """From its first attempt to its end. Returns why it ended."""
        client = Client()
        try:
            if (failure := await self._attempt(client)) is None:
                await self._until_over(client)
                failure = self._failure or BusFailed("the connection to the message bus was lost")
        finally:
            self._client = None
            _ = self._discards.begin(_discard(client), "closing a connection to the message bus")
        self._lost(failure)
        return failure

    async def _attempt(self, client: Client) -> BusFailed | None:
        """None: connected."""
        self._trying = True
        self._over.clear()
        try:
            async with asyncio.timeout(2 * CONNECT_S):
                await client.connect(
                    self._url,
                    name=self._name,
                    inbox_prefix=self._inbox_prefix,
                    nkeys_seed=None if self._seed_file is None else str(self._seed_file),
                    error_cb=self._error,
                    disconnected_cb=self._disconnected,
                    reconnected_cb=self._reconnected,
                    closed_cb=self._gone,
                    connect_timeout=CONNECT_S,
                    reconnect_time_wait=RETRY_S,  # type: ignore[arg-type]  # parts of seconds do
                    max_reconnect_attempts=-1,
                    ping_interval=PING_S,
                    max_outstanding_pings=PINGS,
                    pending_size=2 * UNSENT_BYTES,
                    flush_timeout=_FLUSH_S,
                )
                self._trying = False
                self.denials.deaf = False
                self._client = client
                await self._on_connected(client)
                await self._send_held()
        except (Error, OSError, TimeoutError) as error:
            return self._failed(error)
        finally:
            self._trying = False
        self._failure = None
        self._up.set()
        log.info("connected to the message bus at %s", self._url)
        return None

    def _failed(self, error: Exception) -> BusFailed:
        failure = self._unknown() if is_unknown_to_server(str(error)) else BusFailed(_said(error))
        if str(failure) != str(self._failure):  # said once, not four times a second
            log.warning("no connection to the message bus at %s: %s", self._url, failure)
        self._failure = failure
        self._up.set()  # whoever waits looks, and waits on where it may get better
        return failure

    def _unknown(self) -> BusRefused:
        self.denials.count += 1
        return BusRefused(
            f"the message bus at {self._url} does not know the key of {self._name}",
            field="bus.seed_file",
            value=self._seed_file,
            remedy="put its public key into the server's configuration, and reload it",
        )

    async def _until_over(self, client: Client) -> None:
        """Returns when the client is closed or refused, or away too long."""
        away_s = 0.0
        while not client.is_closed and away_s < _STUCK_S:
            try:
                async with asyncio.timeout(1.0):
                    await self._over.wait()
            except TimeoutError:
                away_s = 0.0 if client.is_connected else away_s + 1.0
            else:
                return

    async def _send_held(self) -> None:
        while self._held:
            await self.publish(*self._held.popleft())

    def _hold(
        self, subject: str, data: bytes, reply: str, headers: Mapping[str, str] | None
    ) -> None:
        checked(subject)
        if sum(len(held[1]) + len(held[0]) for held in self._held) + len(data) > HELD_BYTES:
            raise BusFailed("the message bus is away, and no more can be held back for it")
        self._held.append((subject, data, reply, headers))

    def _lost(self, why: BusFailed) -> None:
        self.losses += 1
        for wait in self._waiting:
            wait.fail(why)

    async def _error(self, error: Exception) -> None:
        """nats-py's reports. Raising ends a first attempt that would go on for ever."""
        if self._trying:
            raise error
        if isinstance(error, SlowConsumerError):
            self.dropped += 1
            return
        if (denial := denial_of(str(error))) is not None:
            self._denied(denial)
        elif is_unknown_to_server(str(error)):
            self._failure = self._unknown()
            log.error("%s", self._failure)
            self._over.set()  # nats-py would try four times a second, and leave each socket open
        elif not isinstance(error, FlushTimeoutError):
            log.debug("message bus: %s", _said(error))

    def _denied(self, denial: Denial) -> None:
        if self.denials.add(denial):
            log.error("the message bus denies %s to %s", denial, self._name)
        if denial.kind == "subscription" and denial.subject.startswith(self._inbox_prefix.lower()):
            self.denials.deaf = True
        for wait in self._waiting:
            if self.denials.deaf or (denial.kind == "publish" and wait.subject == denial.subject):
                wait.fail(BusRefused(f"the message bus denies {denial} to {self._name}"))

    async def _disconnected(self) -> None:
        if not self._closed:
            log.warning("the connection to the message bus at %s was lost", self._url)
        self._lost(BusFailed("the connection to the message bus was lost"))

    async def _reconnected(self) -> None:
        log.info("connected to the message bus at %s again", self._url)
        self._up.set()

    async def _gone(self) -> None:
        self._over.set()


def _cancellations() -> int:
    """How often the running task was asked to end."""
    task = asyncio.current_task()
    return 0 if task is None else task.cancelling()


async def _discard(client: Client) -> None:
    """A client that is of no use any more; whatever it says to that."""
    try:
        async with asyncio.timeout(1.0):
            await client.close()
    except (Error, OSError, TimeoutError) as error:
        log.debug("message bus, closing: %s", _said(error))


def _plain(headers: Mapping[str, str] | None) -> dict[str, str] | None:
    return None if headers is None else dict(headers)


def _said(error: Exception) -> str:
    return str(error).removeprefix("nats: ") or type(error).__name__
