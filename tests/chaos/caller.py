"""One caller: speaks in real time, whatever happens to the world, and takes down what comes."""

import asyncio
from collections import Counter
from contextlib import suppress

from heliovox.client.client import Client
from heliovox.client.errors import ClientError
from heliovox.client.events import Event, Gap, Reconnecting, Resumed
from heliovox.client.session import Session
from heliovox.local.calls import PACKET_MS, Where
from heliovox.protocol import messages as m
from tests.chaos.speech import TELEPHONE, Speech
from tests.chaos.verdict import Record, Told

_BYTES_MS = TELEPHONE.sample_rate * TELEPHONE.bytes_per_sample // 1000
ANSWER_S = 60.0
"""For the last words, once everything is said."""
AGAIN_S = 0.2


class Caller:
    """Speaks one speech to its end.

    Args:
        speech: what.
        client: through whom.
        where: he is, and under which policy.
        replay: whether the SDK goes on after a lost connection. Without it he calls again, and
            what was said meanwhile is not heard.
    """

    def __init__(self, speech: Speech, client: Client, where: Where, *, replay: bool) -> None:
        self.speech, self.where = speech, where
        self._client, self._replay = client, replay
        self.record = Record()
        self.session: Session | None = None
        self.seen: Counter[str] = Counter()
        """Events by their names."""
        self.story: list[tuple[float, str]] = []
        """When his connection was lost, tried again and found, and why."""
        self.regions: set[str] = set()
        """Where he was heard."""
        self.error = ""
        """Why he was not heard to the end."""
        self._base_ms = 0

    @property
    def node(self) -> str:
        """Where he is heard now."""
        started = self.session.machine.started if self.session is not None else None
        return "" if started is None else started.node

    @property
    def session_id(self) -> str:
        """Of now."""
        started = self.session.machine.started if self.session is not None else None
        return "" if started is None else started.session

    async def run(self, begun: asyncio.Event) -> None:
        """From the first word to the last."""
        try:
            await begun.wait()
            if self._replay:
                await self._call(recover=True)
                return
            while self._base_ms * _BYTES_MS < len(self.speech.data):
                with suppress(ClientError, ExceptionGroup):
                    await self._call(recover=False)
                    return
                await asyncio.sleep(AGAIN_S)
        except* (ClientError, TimeoutError) as group:
            self.error = str(group.exceptions[0])[:300]

    async def _call(self, *, recover: bool) -> None:
        loop, record = asyncio.get_running_loop(), self.record
        async with self._client.session(
            audio=TELEPHONE, place=self.where.place, policy=self.where.policy, recover=recover
        ) as self.session:
            record.begun_s = record.begun_s or loop.time()
            self._base_ms = max(0, round((loop.time() - record.begun_s) * 1000)) // 20 * 20
            self._been_at(self.session.started)
            async with asyncio.TaskGroup() as group:
                group.create_task(self._speak(self.session), name=self.speech.name)
                async for event in self.session:
                    self._take(event, loop.time())

    async def _speak(self, session: Session) -> None:
        """At the pace of speech: one who was held up catches up, as a telephone's buffer does."""
        loop, size = asyncio.get_running_loop(), PACKET_MS * _BYTES_MS
        for at in range(self._base_ms * _BYTES_MS, len(self.speech.data), size):
            piece = self.speech.data[at : at + size]
            due_s = self.record.begun_s + (at + len(piece)) / _BYTES_MS / 1000
            await asyncio.sleep(max(0.0, due_s - loop.time()))
            await session.send(piece)
        await session.finish()

    def _take(self, event: Event, now_s: float) -> None:
        self.seen[type(event).__name__] += 1
        if self.session is not None:
            self._been_at(self.session.machine.started)
        if isinstance(event, (Reconnecting, Resumed, Gap)):
            self.story.append((now_s, repr(event)))
        if isinstance(event, (m.Partial, m.Final)) and event.words:
            last_ms = event.words[-1].start_ms + self._shift_ms
            self.record.shown.append((now_s, last_ms))
        if isinstance(event, m.Final):
            self.record.finals += [self._told(word) for word in event.words]

    @property
    def _shift_ms(self) -> int:
        """A call that began later counts from its own beginning."""
        return 0 if self._replay else self._base_ms

    def _told(self, word: m.Word) -> Told:
        return (word.text, word.start_ms + self._shift_ms, word.end_ms + self._shift_ms)

    def _been_at(self, started: m.Started | None) -> None:
        if started is not None and started.region is not None:
            self.regions.add(started.region)
