"""A conversation over the scripted recogniser: text and audio in, messages out."""

import asyncio
import dataclasses
import itertools
import logging
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge_node.capacity.admission import Admission
from edge_node.conversation import Conversation
from edge_node.desk import Admitted, KeyDesk
from edge_node.house import House
from edge_node.protocols.peer import Shown
from edge_node.sessions.limits import Limits
from edge_node.sessions.opening import Offer
from edge_node.stt.batcher import BatchRules
from edge_node.stt.device import Device
from edge_node.stt.scripted import ScriptedEngine, script_audio
from edge_node.tts.events import SpeechChunk, VoiceSwitch
from heliovox.protocol import codec
from heliovox.protocol import messages as wire
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.control import Basis, Estimate, InLine
from shared.audio import encode
from shared.clock import SystemClock
from shared.errors import EngineFailed, NoRoom, Unsupported, VoiceError
from shared.tasks import Tasks
from tests.support.fleet import until

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
        numbers = itertools.count(1)
        self.admission = Admission("here", limit)
        self.house = House(
            offer=OFFER,
            limits=Limits(),
            desk=KeyDesk(self.admission, lambda key: key == "good", lambda: f"s{next(numbers)}"),
            device=self.device,
            speaker=self.voice,
            tasks=Tasks(),
        )
        self.shown = Shown("good") if authenticated else Shown()

    def caller(self) -> tuple[Conversation, FarEnd]:
        far_end = FarEnd()
        talk = Conversation(far_end, self.house, self.shown)
        return talk, far_end

    async def end(self) -> None:
        await self.house.tasks.end()
        await asyncio.to_thread(self.device.stop)


@pytest.fixture
def play() -> Any:
    def run(scene: Any, **how: Any) -> None:
        async def whole() -> None:
            stage = Stage(**how)
            try:
                await scene(stage)
            finally:
                await stage.end()

        asyncio.run(whole())

    return run


def say(talk: Conversation, message: Any) -> None:
    talk.text(codec.encode(message))


def test_audio_becomes_numbered_words(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        audio = encode(AudioFormat(), script_audio("abc cab" + " " * 40 + "bb"))
        for begin in range(0, len(audio), 999):
            talk.audio(audio[begin : begin + 999])
        say(talk, wire.Finish())
        messages = await far_end.until(None)
        finals = [m for m in messages if isinstance(m, wire.Final)]
        assert [(f.seq, f.text, f.reason) for f in finals] == [
            (1, "abc cab", "endpoint"),
            (2, "bb", "finish"),
        ]
        assert isinstance(messages[0], wire.Started)
        assert isinstance(messages[-2], wire.Ended)
        assert far_end.closed == (1000, "finish")
        assert stage.admission.taken == 0

    play(scene)


def test_the_story_of_a_session_is_logged_without_its_words(
    play: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(kind="conversation"))
        talk.audio(encode(AudioFormat(), script_audio("confidential")))
        say(talk, wire.Flush("secret"))
        say(talk, wire.Speak("a", "classified"))
        await far_end.until(wire.Flushed)
        talk.lost()

    caplog.set_level(logging.DEBUG)
    play(scene)
    [story] = [line for line in caplog.messages if line.startswith("session s1 was")]
    assert "started: conversation" in story
    assert "final: 1 flush" in story
    assert story.endswith("link lost")
    for word in ("confidential", "secret", "classified"):
        assert word not in caplog.text


def test_a_full_node_says_how_full_it_is_and_a_leaver_makes_room(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        first, first_end = stage.caller()
        say(first, wire.Start())
        await first_end.until(wire.Started)
        second, second_end = stage.caller()
        say(second, wire.Start())
        [error, _] = await second_end.until(None)
        assert (error.code, error.retryable) == ("node_full", True)
        assert "1 of 1" in error.message
        assert second_end.closed is not None
        assert second_end.closed[0] == 1013
        first.lost()
        third, third_end = stage.caller()
        say(third, wire.Start())
        await third_end.until(wire.Started)

    play(scene, limit=1)


def test_a_broken_engine_is_told_and_takes_no_room(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        stage.device.failure = EngineFailed("broke")
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        [error, _] = await far_end.until(None)
        assert error.code == "engine_failed"
        assert stage.admission.taken == 0

    play(scene)


def test_who_sends_faster_than_the_device_hears_is_read_from_again_later(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        talk.audio(bytes(10 * 32_000))
        assert not far_end.reading
        async with asyncio.timeout(WAIT_S):
            await far_end.resumed.wait()
        assert far_end.reading

    play(scene)


def test_nothing_more_is_said_to_who_is_gone(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(kind="synthesis"))
        stage.voice.go_on.clear()
        say(talk, wire.Speak("a", "long text"))
        await far_end.until(wire.Speaking)
        talk.lost()
        async with asyncio.timeout(WAIT_S):
            await stage.voice.over.wait()

    play(scene)


def test_a_text_is_said_in_the_callers_format(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(kind="synthesis", output=AudioFormat("mulaw", 8000)))
        say(talk, wire.Speak("a", "xyz"))
        say(talk, wire.Finish())
        messages = await far_end.until(None)
        kinds = [type(m).__name__ for m in messages[:-1]]
        assert kinds == ["Started", "Speaking", "VoiceSwitched", "Spoken", "Ended"]
        assert messages[3] == wire.Spoken("a", 2400, cancelled=False)
        assert len(far_end.audio) == 2400

    play(scene)


def test_speech_can_be_cancelled_and_the_next_text_follows(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(kind="conversation"))
        stage.voice.go_on.clear()
        say(talk, wire.Speak("a", "long text"))
        say(talk, wire.Speak("b", "x"))
        async with asyncio.timeout(WAIT_S):
            await stage.voice.begun.wait()
        say(talk, wire.Cancel("a"))
        stage.voice.go_on.set()
        spoken = (await far_end.until(wire.Spoken))[-1]
        assert (spoken.id, spoken.cancelled) == ("a", True)
        assert (await far_end.until(wire.Spoken))[-1] == wire.Spoken("b", 1600, cancelled=False)

    play(scene)


def test_a_text_may_be_cancelled_before_its_first_moment(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(kind="synthesis"))
        say(talk, wire.Speak("a", "x"))
        say(talk, wire.Cancel("a"))
        assert (await far_end.until(wire.Spoken))[-1] == wire.Spoken("a", 0, cancelled=True)
        say(talk, wire.Finish())
        await far_end.until(wire.Ended)

    play(scene)


def test_a_voice_that_breaks_in_an_unforeseen_way_does_not_hold_up_the_session(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(kind="synthesis"))
        stage.voice.fault = ZeroDivisionError("nobody thought of this")
        say(talk, wire.Speak("a", "x"))
        say(talk, wire.Finish())
        messages = await far_end.until(None)
        [notice] = [m for m in messages if isinstance(m, wire.Notice)]
        assert (notice.code, notice.id) == ("internal", "a")
        assert "nobody" not in notice.message
        assert [m.cancelled for m in messages if isinstance(m, wire.Spoken)] == [True]
        assert far_end.closed == (1000, "finish")

    play(scene)


def test_what_cannot_be_said_is_told_and_the_session_goes_on(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(kind="synthesis"))
        say(talk, wire.Speak("a", " "))
        messages = await far_end.until(wire.Spoken)
        assert [m.code for m in messages if isinstance(m, wire.Notice)] == ["unsupported"]
        assert not any(isinstance(m, wire.Speaking) for m in messages)
        assert far_end.closed is None

    play(scene)


def test_nothing_is_sent_to_who_does_not_read(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(kind="synthesis"))
        talk.writable(False)
        say(talk, wire.Speak("a", "xyz"))
        async with asyncio.timeout(WAIT_S):
            await far_end.until(wire.Speaking)
        assert not far_end.audio
        talk.writable(True)
        await far_end.until(wire.Spoken)
        assert len(far_end.audio) == 2 * 4800

    play(scene)


class SlowDesk(KeyDesk):
    """Asks somebody else about everybody, who takes his time."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.answered = asyncio.Event()
        self.error: VoiceError | None = None
        self.in_line: InLine | None = None
        self.given_up = False

    def permit(self, shown: Shown, start: wire.Start) -> Any:
        return SimpleNamespace(start=lambda: start, seat=self.asked)

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


def test_nothing_is_read_before_the_decision_and_nothing_is_lost(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        assert far_end.reading  # who waits for the answer is noticed when he goes
        talk.audio(encode(AudioFormat(), script_audio("abc" + " " * 40)))
        assert not far_end.reading
        say(talk, wire.Finish())
        assert talk.session.received_sample == 0
        desk.answered.set()
        messages = await far_end.until(None)
        assert isinstance(messages[0], wire.Started)
        assert [one.text for one in messages if isinstance(one, wire.Final)] == ["abc"]
        assert stage.admission.taken == 0

    play(scene)


def test_too_much_before_the_decision_is_too_much(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        for _ in range(3):
            talk.audio(bytes(1 << 20))
        [error, _] = await far_end.until(None)
        assert error.code == "too_big"
        desk.answered.set()
        await until(lambda: not len(stage.house.tasks))
        assert stage.admission.taken == 0

    play(scene)


@pytest.mark.parametrize("end", ["lost", "drain_over"])
def test_who_is_gone_before_the_decision_holds_no_seat(play: Any, end: str) -> None:
    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        await asyncio.sleep(0)
        getattr(talk, end)()
        desk.answered.set()
        await until(lambda: not len(stage.house.tasks))
        assert stage.admission.taken == 0
        assert stage.house.live == {}
        assert (far_end.closed is None) == (end == "lost")

    play(scene)


LINE = InLine("w-1", 60.0, 3, Estimate(5.0, 30.0, 0.8, Basis("kind", 400, 12), 0.9), 2)


def test_a_place_in_line_is_told_and_then_the_session_opens(play: Any) -> None:
    """Nothing that was sent meanwhile is lost, and his silence is not held against him."""

    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        desk.in_line = LINE
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        [told] = await far_end.until(wire.Waiting)
        assert (told.position, told.low_s, told.high_s, told.chance) == (3, 5.0, 30.0, 0.9)
        assert (told.source, told.sessions, told.version) == ("kind", 400, 2)
        talk.audio(encode(AudioFormat(), script_audio("abc" + " " * 40)))
        say(talk, wire.Finish())
        for second in range(0, 2000, 100):
            talk.tick(float(second))
        desk.answered.set()
        messages = await far_end.until(None)
        assert isinstance(messages[0], wire.Started)
        assert [one.text for one in messages if isinstance(one, wire.Final)] == ["abc"]

    play(scene)


@pytest.mark.parametrize("end", ["lost", "drain_over", "hung up", "too much"])
def test_who_goes_gives_up_his_place_at_once(play: Any, end: str) -> None:
    """Also where he is not read from, so that nobody says that he is gone."""

    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        desk.in_line = LINE
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        await far_end.until(wire.Waiting)
        if end == "hung up":
            talk.tick(1.0)
            assert not desk.given_up
            far_end.gone = True
            talk.tick(2.0)
        elif end == "too much":
            for _ in range(3):
                talk.audio(bytes(1 << 20))
        else:
            getattr(talk, end)()
        await until(lambda: not len(stage.house.tasks))
        assert desk.given_up
        assert stage.admission.taken == 0
        assert (far_end.closed is None) == (end == "lost")

    play(scene)


def test_a_refusal_after_a_wait_is_told(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        desk = slow(stage)
        desk.error = NoRoom("all are full")
        talk, far_end = stage.caller()
        say(talk, wire.Start())
        talk.audio(bytes(320))
        desk.answered.set()
        [error, _] = await far_end.until(None)
        assert (error.code, far_end.closed) == ("no_room", (1013, "no_room"))

    play(scene)


@pytest.mark.parametrize("key", [None, "bad"])
def test_without_a_known_key_nothing_opens(play: Any, key: str | None) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(key=key))
        [error, _] = await far_end.until(None)
        assert (error.code, far_end.closed) == ("unauthorised", (4401, "unauthorised"))
        assert stage.admission.taken == 0

    play(scene, authenticated=False)


def test_a_key_may_come_with_start(play: Any) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        say(talk, wire.Start(key="good"))
        await far_end.until(wire.Started)

    play(scene, authenticated=False)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"type":"sing"}', b'{"type":"start","audio":7}']
)
def test_what_is_no_message_ends_with_a_reason(play: Any, text: bytes) -> None:
    async def scene(stage: Stage) -> None:
        talk, far_end = stage.caller()
        talk.text(text)
        [error, _] = await far_end.until(None)
        assert error.code == "invalid_message"
        assert error.message

    play(scene)
