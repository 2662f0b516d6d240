"""The SDK against a node that follows a script."""

import asyncio
import logging

import pytest

from heliovox.client import (
    AudioOut,
    Limits,
    NodeMisbehaved,
    Refused,
)
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from heliovox.protocol.control import Basis, Estimate, InLine
from tests.support.scripted_node import STARTED, Stage, final, staged

pytestmark = pytest.mark.anyio


async def test_start_carries_what_the_caller_asked_for() -> None:
    heard: list[m.Start] = []

    async def script(stage: Stage) -> None:
        assert stage.connection.request is not None
        assert stage.connection.request.headers["Authorization"] == "Bearer secret"
        heard.append(await stage.opens())
        await stage.ends()

    async with (
        staged(script) as client,
        client.session(
            "recognition", language="de", audio=AudioFormat.telephone(), endpoint_silence_ms=400
        ) as session,
    ):
        assert session.started.node == "n-1"
        assert [type(event) async for event in session] == [m.Ended]
    assert heard == [
        m.Start(
            "recognition",
            "de",
            AudioFormat("mulaw", 8000),
            AudioFormat(),
            endpoint_silence_ms=400,
            redirect=True,
            moves=True,
            recovers=True,
        )
    ]
    assert heard[0].key is None


async def test_a_node_that_keeps_us_waiting_tells_our_place_and_every_change() -> None:
    told: list[InLine] = []
    limits = Limits(open_s=1.0)

    async def script(stage: Stage) -> None:
        await stage.hears(m.Start)
        for version, position in ((1, 4), (1, 4), (2, 3)):
            await stage.says(m.Waiting(position, 60.0, version, 5.0, 30.0, 0.8, 0.9, "kind", 400))
            await asyncio.sleep(0.4)  # longer than open_s in all: each is a sign of life
        await stage.says(m.Waiting(1, 58.0, 3))
        await stage.says(STARTED)
        await stage.ends()

    async with (
        staged(script, limits) as client,
        client.session("conversation", waits=told.append) as session,
    ):
        assert [type(event) async for event in session] == [m.Ended]
    assert [line.position for line in told] == [4, 3, 1]
    assert told[0].estimate == Estimate(5.0, 30.0, 0.8, Basis("kind", 400, 0), 0.9)
    assert told[2].estimate is None


async def test_a_refusal_may_follow_a_wait_but_no_wait_a_session() -> None:
    async def refuses(stage: Stage) -> None:
        await stage.hears(m.Start)
        await stage.says(m.Waiting(1, 1.0), m.Error("no_room", "full", retryable=True))
        await stage.connection.close(1013)

    with pytest.raises(Refused, match="no_room"):
        async with staged(refuses) as client, client.session():
            pass

    async def confused(stage: Stage) -> None:
        await stage.opens()
        await stage.says(m.Waiting(1, 1.0))
        await stage.connection.wait_closed()

    with pytest.raises(NodeMisbehaved):
        async with staged(confused) as client, client.session() as session:
            await anext(session)


async def test_audio_goes_out_whole_and_finals_come_in() -> None:
    audio = bytes(range(256)) * 1000

    async def script(stage: Stage) -> None:
        await stage.opens()
        got = b""
        while len(got) < len(audio):
            got += await stage.hears(bytes)
        assert got == audio
        await stage.says(final(1, "yes"))
        await stage.hears(m.Finish)
        await stage.hears(m.Ack)
        await stage.ends()

    async with staged(script) as client, client.session() as session:
        await session.send(audio)
        await session.finish()
        await session.finish()  # said once only
        assert [e.text async for e in session if isinstance(e, m.Final)] == ["yes"]


async def test_a_final_is_acknowledged_once_the_application_comes_back() -> None:
    """An application that dies while it handles a final gets that final again."""

    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.says(final(1), final(2))
        for seq in (1, 2):
            await stage.hears(m.Marker)  # said while the application handles the final
            assert (await stage.hears(m.Ack)).seq == seq
        await stage.ends()

    async with staged(script) as client, client.session() as session:
        async for event in session:
            if isinstance(event, m.Final):
                await session.marker()


async def test_acknowledging_can_be_left_to_the_application() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.says(final(1), final(2), final(3))
        assert (await stage.hears(m.Ack)).seq == 3
        await stage.ends()

    async with staged(script) as client, client.session(acknowledge=False) as session:
        async for event in session:
            if isinstance(event, m.Final) and event.seq == 3:
                await session.ack(3)
                await session.ack(3)  # old news: not said
                await session.ack(9)  # no such final: not said


async def test_saying_yields_the_texts_own_audio() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        speak = await stage.hears(m.Speak)
        assert (speak.text, speak.voice, speak.speed) == ("hello", "mouth", 1.5)
        await stage.says(m.Speaking(speak.id, "mouth", AudioFormat()), b"ab", final(1))
        await stage.says(b"cd", m.Spoken(speak.id, 2, cancelled=False))
        await stage.hears(m.Ack)
        await stage.ends()

    async with staged(script) as client, client.session("conversation") as session:
        said = [data async for data in session.say("hello", voice="mouth", speed=1.5)]
        assert said == [b"ab", b"cd"]
        assert [type(event) async for event in session] == [m.Final, m.Ended]


async def test_a_text_that_cannot_be_said_is_an_error_and_the_session_goes_on() -> None:
    """Silence never passes for speech."""

    async def script(stage: Stage) -> None:
        await stage.opens()
        speak = await stage.hears(m.Speak)
        await stage.says(m.Notice("unsupported", "no such voice", "voice", id=speak.id))
        await stage.says(m.Spoken(speak.id, 0, cancelled=True))
        speak = await stage.hears(m.Speak)
        await stage.says(m.Speaking(speak.id, "mouth", AudioFormat()), b"ab")
        await stage.says(m.Spoken(speak.id, 1, cancelled=False))
        await stage.ends()

    async with staged(script) as client, client.session("synthesis") as session:
        with pytest.raises(Refused, match="no such voice") as caught:
            await anext(session.say("hello", voice="nobody"))
        assert caught.value.field == "voice"
        assert [data async for data in session.say("hello")] == [b"ab"]
        assert [type(event) async for event in session] == [m.Ended]


async def test_speaking_brings_audio_among_the_events() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        speak = await stage.hears(m.Speak)
        await stage.says(m.Speaking(speak.id, "mouth", AudioFormat()), b"ab")
        await stage.hears(m.Cancel)
        await stage.says(m.Spoken(speak.id, 1, cancelled=True))
        await stage.ends()

    async with staged(script) as client, client.session("synthesis") as session:
        name = await session.speak("hello", speak_id="mine")
        events = []
        async for event in session:
            events.append(event)
            if isinstance(event, AudioOut):
                await session.cancel(name)
    assert events[1] == AudioOut("mine", b"ab")
    assert events[2] == m.Spoken("mine", 1, cancelled=True)


async def test_leaving_a_text_early_cancels_it_and_drops_its_rest() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        speak = await stage.hears(m.Speak)
        await stage.says(m.Speaking(speak.id, "mouth", AudioFormat()), b"ab")
        assert (await stage.hears(m.Cancel)).id == speak.id
        await stage.says(b"cd", m.Spoken(speak.id, 2, cancelled=True))
        await stage.ends()

    async with staged(script) as client, client.session("synthesis") as session:
        saying = session.say("hello")
        assert await anext(saying) == b"ab"
        await saying.aclose()
        assert [type(event) async for event in session] == [m.Ended]


async def test_the_name_of_a_text_that_was_said_may_be_used_again() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        for _ in range(2):
            speak = await stage.hears(m.Speak)
            assert speak.id == "text-1"
            await stage.says(m.Speaking(speak.id, "mouth", AudioFormat()), b"ab")
            await stage.says(m.Spoken(speak.id, 1, cancelled=False))
        await stage.ends()

    async with staged(script) as client, client.session("synthesis") as session:
        assert [data async for data in session.say("hello")] == [b"ab"]
        await session.speak("again", speak_id="text-1")
        kinds = [type(event) async for event in session]
        assert kinds == [m.Speaking, AudioOut, m.Spoken, m.Ended]


async def test_neither_keys_nor_speech_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.says(final(1, "confidential"))
        await stage.hears(m.Ack)
        await stage.ends()

    caplog.set_level(logging.DEBUG)
    async with staged(script) as client, client.session() as session:
        assert len([event async for event in session]) == 2
    said = [r.getMessage() for r in caplog.records if not r.name.startswith("websockets.server")]
    assert not [line for line in said if "confidential" in line or "secret" in line]


async def test_two_readers_share_one_connection() -> None:
    """Whoever reads hands over what belongs to the other."""

    async def script(stage: Stage) -> None:
        await stage.opens()
        speak = await stage.hears(m.Speak)
        await stage.says(final(1), m.Speaking(speak.id, "mouth", AudioFormat()), b"ab")
        await stage.hears(m.Ack)
        await stage.says(m.Spoken(speak.id, 1, cancelled=False), final(2))
        await stage.hears(m.Ack)
        await stage.ends()

    async with staged(script) as client, client.session("conversation") as session:

        async def finals() -> list[int]:
            return [e.seq async for e in session if isinstance(e, m.Final)]

        async def audio() -> list[bytes]:
            return [data async for data in session.say("hello")]

        async with asyncio.TaskGroup() as group:
            listening, saying = group.create_task(finals()), group.create_task(audio())
    assert (listening.result(), saying.result()) == ([1, 2], [b"ab"])


@pytest.mark.parametrize("code", ["node_full", "unauthorised"])
async def test_a_refusal_keeps_every_field(code: str) -> None:
    async def script(stage: Stage) -> None:
        await stage.hears(m.Start)
        await stage.says(m.Error(code, "no", "field", "value", "remedy", retryable=True))
        await stage.connection.close(1013)

    async with staged(script) as client:
        with pytest.raises(Refused) as caught:
            async with client.session():
                pass
    error = caught.value
    assert (error.code, error.field, error.value, error.remedy) == (
        code,
        "field",
        "value",
        "remedy",
    )
    assert error.retryable
    assert (type(error) is not Refused) == (code == "unauthorised")


async def test_sending_into_a_refused_session_tells_the_nodes_reason() -> None:
    """Not just that the connection closed: the error was on its way."""

    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.says(m.Error("limit_passed", "too slow"))
        await stage.connection.close(1008)

    async with staged(script) as client, client.session() as session:
        with pytest.raises(Refused) as caught:
            await session.send(bytes(1 << 26))
    assert caught.value.code == "limit_passed"
