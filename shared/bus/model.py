"""What the bus promises. `NatsBus` keeps it with a server, `MemoryBus` without one.

Two ways to send, and they differ in what an outage costs:

- `publish` and `request` are heard by whoever listens now, or by nobody (at most once);
- `keep` returns once a stream has stored the message, and drops what it has already stored.

Everything that can fail raises BusFailed, or BusRefused where the server denies it to us.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

Handler = Callable[[str, bytes], Awaitable[bytes | None]]
"""Gets subject and data. What it returns is the answer, where one was asked for; None is none."""


@dataclass(frozen=True, slots=True)
class Source:
    """A stream that another one copies from."""

    stream: str
    domain: str | None = None
    """JetStream domain of the server that keeps it; None for the same one."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Messages kept in order. Full, or too old: the oldest go, unless it says otherwise."""

    name: str
    max_bytes: int
    subjects: tuple[str, ...] = ()
    """What it keeps, of what is published; empty where it only copies."""
    sources: tuple[Source, ...] = ()
    domain: str | None = None
    """JetStream domain of the server that keeps it; None for the one we are connected to."""
    max_age_s: float | None = None
    per_subject: int | None = None
    """So many of each subject, the latest; None for all."""
    duplicates_s: float = 120.0
    """How long a message's id is remembered, so that it is kept once."""
    refuses_when_full: bool = False
    """Instead of throwing the oldest away."""
    each_has_its_time: bool = False
    """Messages may say how long they are kept, and take the place of what was before them."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """Values by key, on the server that we are connected to.

    A key is made of a-z, A-Z, 0-9 and -_=/., and has no empty part.
    """

    name: str
    max_bytes: int
    max_age_s: float | None = None
    history: int = 1
    """Of each key so many values are kept, the latest."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as a stream keeps it."""

    sequence: int
    """Of the stream; grows, with gaps where messages are gone."""
    subject: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What a key held after a change."""

    key: str
    value: bytes | None
    """None: deleted."""
    revision: int
    """Of the bucket: grows with every change of any key."""


class Subscription(Protocol):
    """What a handler hears; ends with the bus at the latest."""

    async def end(self) -> None:
        """Nothing more is handed to the handler; what it has begun goes on. May be repeated."""
        ...


class KeyValues(Protocol):
    """One bucket. Every call raises BusFailed where the bus fails or the bucket is not there."""

    async def get(self, key: str) -> Entry | None:
        """The latest; None where the key is not there, or was deleted."""
        ...

    async def put(self, key: str, value: bytes) -> int:
        """Replaces whatever was there. Returns the revision."""
        ...

    async def create(self, key: str, value: bytes) -> int | None:
        """Only where the key is not there, else None. Of several who try, one succeeds."""
        ...

    async def update(self, key: str, value: bytes, revision: int) -> int | None:
        """Only where the key's latest revision is `revision`, else None."""
        ...

    async def delete(self, key: str) -> None:
        """Watchers see it go. A key that is not there is no error."""
        ...

    async def keys(self) -> tuple[str, ...]:
        """All that hold a value, sorted."""
        ...

    def watch(self, keys: str = ">") -> AsyncIterator[Entry | None]:
        """The latest of each key, then None once, then every change, for ever.

        Survives outages: what changed meanwhile comes afterwards (a key's last value at least), and
        the same entry may come twice. Deleted keys come before the None too. Close the iterator
        (`aclose`, or leave a `contextlib.aclosing`) when done.

        Args:
            keys: a pattern of subjects: `>` for all, `a.*`.

        Raises:
            BusRefused: denied to us.
            BusFailed: the bus was closed, or there is no such bucket.
        """
        ...


class Bus(Protocol):
    """A connection to the bus."""

    @property
    def connected(self) -> bool:
        """Whether a server answers now. False at first where it was not waited for."""
        ...

    @property
    def refused(self) -> int:
        """How often the server denied us something, so far: a permission is missing somewhere."""
        ...

    @property
    def dropped(self) -> int:
        """Messages that came faster than a handler took them, so far."""
        ...

    def check(self) -> None:
        """For /readyz. Raises BusFailed where the bus is not connected."""
        ...

    async def publish(self, subject: str, data: bytes) -> None:
        """To whoever listens now. Waits for nobody; returns before it has arrived.

        While the server is away, a bounded amount is held back for its return.

        Raises:
            BusFailed: too much is held back already, the message is too big, or the bus is closed.
        """
        ...

    async def request(self, subject: str, data: bytes, timeout_s: float) -> bytes:
        """The answer of one who listens. Fails at once where nobody does.

        Raises:
            BusRefused: we may not ask there.
            BusFailed: no answer in time, nobody there, not connected, or the connection was lost.
        """
        ...

    async def subscribe(
        self,
        subject: str,
        handler: Handler,
        *,
        queue: str | None = None,
        at_once: int = 16,
        backlog: int = 1024,
    ) -> Subscription:
        """Hands what comes to `handler`; also after the server was gone and came back.

        A handler that raises is logged; whoever asked is told at once that it failed.

        Args:
            subject: `*` stands for one token, `>` at the end for one or more.
            handler: see Handler.
            queue: of all subscribers of one name, each message reaches one.
            at_once: handlers that may run together. 1: strictly one after the other, in order.
            backlog: messages that may wait for one to be free; further ones are dropped, counted.

        Raises:
            BusRefused: we may not listen there. While not connected this only shows later, in
                `refused` and in the log.
            BusFailed: the bus is closed.
        """
        ...

    async def keep(
        self,
        subject: str,
        data: bytes,
        message_id: str,
        timeout_s: float = 2.0,
        *,
        for_s: int | None = None,
        replaces: bool = False,
    ) -> int:
        """Returns once a stream has stored it, with the sequence there.

        Asks again within `timeout_s` where no answer comes: an id that is already stored is stored
        once, and its first sequence returned.

        Args:
            subject: of a stream.
            data: the message.
            message_id: what makes it one message, however often it is sent.
            timeout_s: for the answer.
            for_s: it is gone after so many seconds, at least 1; None keeps it as the stream does.
                Only of a stream whose messages each have their time, and so is the next.
            replaces: what was stored of this very subject is gone then.

        Raises:
            BusRefused: we may not publish there.
            BusFailed: no stream keeps this subject, it is full, or none answered in time. It may be
                stored nevertheless: try again with the same id.
        """
        ...

    async def ensure_stream(self, stream: Stream) -> None:
        """Makes it, or changes the one of that name to be so. May be repeated, by several at once.

        Raises BusFailed and BusRefused.
        """
        ...

    async def ensure_bucket(self, bucket: Bucket) -> None:
        """Likewise, for a bucket."""
        ...

    def kv(self, bucket: str) -> KeyValues:
        """A bucket that was made."""
        ...

    async def last(self, stream: str, subject: str, domain: str | None = None) -> Stored | None:
        """The latest that a stream keeps of one subject (no wildcards). Raises BusFailed."""
        ...

    def read(
        self,
        stream: str,
        after: int = 0,
        *,
        subject: str = ">",
        domain: str | None = None,
    ) -> AsyncIterator[Stored]:
        """Everything in order from sequence `after + 1` on, then what comes, for ever.

        Survives outages without a gap or a repetition, but for what the stream has thrown away.
        Close the iterator when done.

        Raises:
            BusRefused: denied to us.
            BusFailed: the bus was closed, or there is no such stream.
        """
        ...

    def read_now(self, stream: str, after: int = 0, *, subject: str = ">") -> AsyncIterator[Stored]:
        """What is there now, in order from sequence `after + 1` on; ends then.

        Raises as `read` does.
        """
        ...

    async def count(self, stream: str, subject: str = ">") -> Mapping[str, int]:
        """How many messages are stored of every subject that the pattern stands for.

        Raises BusFailed and BusRefused.
        """
        ...

    async def erase(self, stream: str, sequence: int) -> None:
        """Overwrites one message where it was stored. One that is not there is no error.

        Raises BusFailed and BusRefused.
        """
        ...

    async def purge(self, stream: str, subject: str) -> int:
        """Drops all messages that the pattern stands for; the server overwrites them some time.

        Returns how many. Raises BusFailed and BusRefused.
        """
        ...

    async def close(self) -> None:
        """Lets handlers end and sends what is held back, for 2 s at most. May be repeated."""
        ...
