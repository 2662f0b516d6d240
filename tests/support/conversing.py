"""A stage for conversations: a far end, a voice, the scripted recogniser, a desk with time."""

import asyncio
import dataclasses
import itertools
from collections.abc import AsyncIterator
from secrets import token_bytes
from types import SimpleNamespace
from typing import Any

import numpy as np

from edge_node.capacity.admission import Admission
from edge_node.conversation import Conversation
from edge_node.desk import Admitted, KeyDesk
from edge_node.house import House
from edge_node.protocols.peer import Shown
from edge_node.recovery.parking import ParkingRules
from edge_node.recovery.service import Recoveries
from edge_node.sessions.limits import Limits
from edge_node.sessions.opening import Offer
from edge_node.stt.batcher import BatchRules
from edge_node.stt.device import Device
from edge_node.stt.scripted import ScriptedEngine
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from heliovox.protocol import codec
from heliovox.protocol import messages as wire
from heliovox.protocol.control import InLine
from shared.clock import SystemClock
from shared.errors import Unsupported, VoiceError
from shared.tasks import Tasks

OFFER = Offer("here", ("en",), ("scripted",), ("eve",), 320, 200)
WAIT_S = 10.0


class FarEnd:
    """What the caller's side of the connection saw."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        self.audio = bytearray()
        self.closed: tuple[int, str] | None = None
        self.reading = True
        self.gone = False
        self.resumed = asyncio.Event()

    def send_text(self, data: bytes) -> None:
        self.messages.put_nowait(codec.decode_server(data))

    def send_audio(self, data: bytes) -> None:
        self.audio += data

    def close(self, code: int, reason: str) -> None:
        self.closed = (code, reason)
        self.messages.put_nowait(None)

    def hung_up(self) -> bool:
        return self.gone

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True
        self.resumed.set()

    async def until(self, kind: type | None) -> list[Any]:
        found: list[Any] = []
        async with asyncio.timeout(WAIT_S):
            while True:
                found.append(await self.messages.get())
                if found[-1] is None if kind is None else isinstance(found[-1], kind):
                    return found


class Parrot:
    """A voice of constant level: 100 ms at 16 kHz for every character."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.over = asyncio.Event()
        self.fault: Exception | None = None

    async def speak(
        self, text: str, voice: str, speed: float
    ) -> AsyncIterator[SpeechChunk | VoiceSwitch]:
        if not text.strip():
            raise Unsupported("nothing to say", field="text", value=text)
        try:
            for _ in text:
                yield SpeechChunk(np.full(1600, 0.5 * speed, np.float32), 16000)
                if self.fault is not None:
                    raise self.fault
                self.begun.set()
                await self.go_on.wait()
        finally:
            self.over.set()
        yield VoiceSwitch(voice, "other", "it broke")


class SetClock:
    """A clock that stands where it was set."""

    def __init__(self) -> None:
        self.at_s = 0.0

    def now_s(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        self.at_s += seconds


class Stage:
    """A house with one conversation in it."""

    def __init__(self, *, limit: int = 2, authenticated: bool = True) -> None:
        loop = asyncio.get_running_loop()

        def deliver(report: list[Any]) -> None:
            def hear() -> None:
                for occupant, heard in report:
                    occupant.listen(heard)

            loop.call_soon_threadsafe(hear)

        self.device = Device(ScriptedEngine, BatchRules(max_wait_s=0.0), SystemClock(), deliver)
        self.device.start(WAIT_S)
        self.voice = Parrot()
        self.clock = SetClock()
        """That sessions without a connection wait by."""
        numbers = itertools.count(1)
        self.admission = Admission("here", limit)
        self.house = House(
            offer=OFFER,
            limits=Limits(),
            desk=KeyDesk(
                self.admission, lambda key: key in ("good", "better"), lambda: f"s{next(numbers)}"
            ),
            device=self.device,
            speaker=self.voice,
            tasks=Tasks(),
            recoveries=Recoveries(ParkingRules(), self.clock, token_bytes),
        )
        self.shown = Shown("good") if authenticated else Shown()

    def caller(self, key: str | None = None) -> tuple[Conversation, FarEnd]:
        far_end = FarEnd()
        talk = Conversation(far_end, self.house, self.shown if key is None else Shown(key))
        return talk, far_end

    async def end(self) -> None:
        await self.house.tasks.end()
        await asyncio.to_thread(self.device.stop)


def say(talk: Conversation, message: Any) -> None:
    talk.text(codec.encode(message))


class SlowDesk(KeyDesk):
    """Asks somebody else about everybody, who takes his time."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.answered = asyncio.Event()
        self.error: VoiceError | None = None
        self.in_line: InLine | None = None
        self.given_up = False

    def permit(self, shown: Shown, start: wire.Start) -> Any:
        return SimpleNamespace(start=lambda: start, seat=self.asked, account="", resumes=0)

    def asked(self, opening: Any) -> Any:
        async def settle(tell: Any) -> Admitted:
            if self.in_line is not None:
                tell(self.in_line)
            try:
                await self.answered.wait()
            except asyncio.CancelledError:
                self.given_up = True
                raise
            if self.error is not None:
                raise self.error
            return self.sit(opening.kind)

        return SimpleNamespace(settle=settle)


def slow(stage: Stage) -> SlowDesk:
    desk = SlowDesk(stage.admission, lambda _: True, lambda: "s-slow")
    stage.house = dataclasses.replace(stage.house, desk=desk)
    return desk
