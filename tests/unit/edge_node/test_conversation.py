"""A conversation over the scripted recogniser: text and audio in, messages out."""

import asyncio
import logging
from typing import Any

import pytest

from edge_node.stt.scripted import script_audio
from heliovox.protocol import messages as wire
from heliovox.protocol.audio import AudioFormat
from shared.audio import encode
from shared.errors import EngineFailed
from tests.support.conversing import WAIT_S, Stage, say


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
