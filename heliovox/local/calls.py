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

    def heard(self, begun_s: float, ended_s: float) -> Heard:
        """The call, once its audio ended at `ended_s` and everything came."""
        return Heard(
            transcript=" ".join(final.text for final in self.finals if final.text),
            words=tuple(word for final in self.finals for word in final.words),
            partials=self.partials,
            first_partial_ms=_ms(self.first_partial_s, begun_s),
            first_word_after_ms=_ms(self.first_partial_s, begun_s + self.first_word_end_ms / 1000),
            final_after_end_ms=_ms(self.last_final_s, ended_s),
        )


async def call(client: Client, recording: Recording, show: Callable[[Event], None]) -> Heard:
    """Sends a recording in real time and listens to the end."""
    loop, listener = asyncio.get_running_loop(), Listener()
    async with client.session(audio=recording.audio) as session:
        begun_s = loop.time()
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(_send(session, recording), name="send")
            async for event in session:
                listener.take(event, loop.time())
                show(event)
        return listener.heard(begun_s, sending.result())


async def _send(session: Session, recording: Recording) -> float:
    """Returns the moment at which the last packet had left."""
    async for packet in paced(_packets(recording), recording.audio):
        await session.send(packet)
    ended_s = asyncio.get_running_loop().time()
    await session.finish()
    return ended_s


async def _packets(recording: Recording) -> AsyncIterator[bytes]:
    size = recording.audio.samples(PACKET_MS) * recording.audio.bytes_per_sample
    for at in range(0, len(recording.data), size):
        yield recording.data[at : at + size]


def _ms(then_s: float | None, since_s: float) -> float | None:
    return None if then_s is None else round(max(0.0, then_s - since_s) * 1000, 1)
