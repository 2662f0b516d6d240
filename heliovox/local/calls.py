"""Calls to a node as a telephone makes them: in real time, and timed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from heliovox.client.client import Client
from heliovox.client.events import Event
from heliovox.client.pacing import paced
from heliovox.client.session import Session
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat

PACKET_MS = 20
"""What telephones send."""
Show = Callable[[Event], object]
Packets = Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class Recording:
    """Speech, and what is said in it."""

    speaker: str
    text: str
    audio: AudioFormat
    data: bytes

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.audio.seconds(len(self.data) // self.audio.bytes_per_sample)


@dataclass(frozen=True, slots=True)
class Where:
    """Where a caller is, and what holds for him."""

    place: tuple[float, float] | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """How a session came to its node."""

    node: str
    region: str | None
    decision: str | None
    """None where the node admitted the caller by itself."""
    rtt_ms: float | None = None
    """Expected between the places; told by the control plane alone."""
    home_region: str | None = None
    overflow: bool = False

    @classmethod
    def of(cls, session: Session) -> "Route":
        """As the control plane and the node said."""
        started, placed = session.started, session.placed
        if placed is None:
            return cls(started.node, started.region, started.decision)
        return cls(
            started.node,
            started.region,
            placed.decision,
            placed.rtt_ms,
            placed.home_region,
            placed.overflow,
        )


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back, and when."""

    transcript: str
    words: tuple[m.Word, ...]
    partials: int
    first_partial_ms: float | None
    """From the first packet's departure."""
    first_word_after_ms: float | None
    """From the end of the first word, as the node times it, to the first partial."""
    final_after_end_ms: float | None
    """From the last packet's departure to the last final; 0 where that was there already."""
    route: Route


class Listener:
    """Collects a call's events with the moments at which they came."""

    def __init__(self) -> None:
        self.finals: list[m.Final] = []
        self.partials = 0
        self.first_partial_s: float | None = None
        self.first_word_end_ms = 0
        self.last_final_s: float | None = None

    def take(self, event: Event, now_s: float) -> None:
        """An event that came at `now_s`."""
        if isinstance(event, m.Partial) and event.text:
            self.partials += 1
            if self.first_partial_s is None:
                self.first_partial_s = now_s
                self.first_word_end_ms = event.words[0].end_ms if event.words else 0
        elif isinstance(event, m.Final):
            self.finals.append(event)
            self.last_final_s = now_s

    def heard(self, begun_s: float, ended_s: float, route: Route) -> Heard:
        """The call, once its audio ended at `ended_s` and everything came."""
        return Heard(
            transcript=" ".join(final.text for final in self.finals if final.text),
            words=tuple(word for final in self.finals for word in final.words),
            partials=self.partials,
            first_partial_ms=_ms(self.first_partial_s, begun_s),
            first_word_after_ms=_ms(self.first_partial_s, begun_s + self.first_word_end_ms / 1000),
            final_after_end_ms=_ms(self.last_final_s, ended_s),
            route=route,
        )


async def call(
    client: Client,
    recording: Recording,
    show: Show,
    where: Where = Where(),
    packets: Packets | None = None,
) -> Heard:
    """Sends a recording in real time and listens to the end.

    Args:
        client: whom to call.
        recording: what to say.
        show: gets every event as it comes.
        where: the caller.
        packets: other audio of the same form, instead of the recording's.
    """
    loop, listener = asyncio.get_running_loop(), Listener()
    async with client.session(
        audio=recording.audio, place=where.place, policy=where.policy
    ) as session:
        show(session.started)
        begun_s = loop.time()
        async with asyncio.TaskGroup() as group:
            audio = packets() if packets else in_packets(recording.audio, recording.data)
            sending = group.create_task(_send(session, audio, recording.audio), name="send")
            async for event in session:
                listener.take(event, loop.time())
                show(event)
        return listener.heard(begun_s, sending.result(), Route.of(session))


async def in_packets(audio: AudioFormat, data: bytes) -> AsyncIterator[bytes]:
    """Audio as a telephone cuts it."""
    size = audio.samples(PACKET_MS) * audio.bytes_per_sample
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def _send(session: Session, packets: AsyncIterator[bytes], audio: AudioFormat) -> float:
    """Returns the moment at which the last packet had left."""
    async for packet in paced(packets, audio):
        await session.send(packet)
    ended_s = asyncio.get_running_loop().time()
    await session.finish()
    return ended_s


def _ms(then_s: float | None, since_s: float) -> float | None:
    return None if then_s is None else round(max(0.0, then_s - since_s) * 1000, 1)
