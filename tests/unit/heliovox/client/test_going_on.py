"""Sessions that lose their connection, against nodes that follow a script."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from websockets.asyncio.server import ServerConnection, serve

from heliovox.client import (
    Client,
    ConnectionLost,
    Event,
    Gap,
    Limits,
    NodeMisbehaved,
    Reconnecting,
    Refused,
    Resumed,
    Session,
)
from heliovox.protocol import messages as m
from tests.support.scripted_node import LIMIT_S, STARTED, Stage, final, first

pytestmark = pytest.mark.anyio
QUICK = Limits(detect_s=0.2, reach_s=0.2, close_s=0.2)
Script = Callable[[Stage], Coroutine[Any, Any, None]]


def started(number: int = 1, from_sample: int = 0, expires_s: float = 5.0) -> m.Started:
    recovery = m.Recovery(f"token-{number}", expires_s, number)
    return msgspec.structs.replace(STARTED, recovery=recovery, from_sample=from_sample)


async def opens(stage: Stage, number: int = 1, from_sample: int = 0) -> m.Start:
    start = await stage.hears(m.Start)
    await stage.says(started(number, from_sample))
    return start


def cut(stage: Stage) -> None:
    stage.connection.transport.abort()


@asynccontextmanager
async def node(*scripts: Script, limits: Limits = QUICK) -> AsyncIterator[Client]:
    """A client of a node whose connections follow one script each, the last one all that follow.

    What a script asserts fails the test, and no task of the client's is left.
    """
    problems: list[Exception] = []
    waiting = list(scripts)

    async def play(connection: ServerConnection) -> None:
        script = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        try:
            await script(Stage(connection))
        except Exception as problem:  # noqa: BLE001 told to the test below
            problems.append(problem)

    before = asyncio.all_tasks()
    async with serve(
        play, "127.0.0.1", 0, compression=None, close_timeout=0.5, select_subprotocol=first
    ) as server:
        port = server.sockets[0].getsockname()[1]
        async with asyncio.timeout(LIMIT_S):
            yield Client(f"127.0.0.1:{port}", "secret", proxy=None, limits=limits)
        left = {task.get_name() for task in asyncio.all_tasks() - before}
        assert "another connection" not in left
    if problems:
        raise problems[0]


async def rest(session: Session) -> list[Event]:
    return [event async for event in session]


def kinds(events: list[Event]) -> list[type]:
    return [type(event) for event in events]


async def test_it_goes_on_at_the_same_node_with_what_was_not_heard() -> None:
    async def lost(stage: Stage) -> None:
        await opens(stage)
        assert await stage.hears(bytes) == bytes(640)
        await stage.says(final(1))
        await stage.hears(m.Ack)
        cut(stage)

    async def again(stage: Stage) -> None:
        assert stage.connection.request is not None
        assert stage.connection.request.headers["Authorization"] == "Bearer secret"
        start = await opens(stage, 2, 160)
        assert start.resume == m.Resume("token-1", 1, 160)
        assert await stage.hears(m.Ack) == m.Ack(1)
        assert await stage.hears(bytes) == bytes(320)
        await stage.hears(m.Finish)
        await stage.says(final(1), final(2))
        await stage.ends()

    async with node(lost, again) as client, client.session() as session:
        await session.send(bytes(640))
        events = []
        async for event in session:
            events.append(event)
            if isinstance(event, Resumed):
                await session.finish()
    assert kinds(events) == [m.Final, Reconnecting, Resumed, m.Final, m.Ended]
    assert session.started == started(2, 160)


@pytest.mark.parametrize("code", [1001, 1011, 1012, 1013])
async def test_a_close_that_says_that_the_node_is_going_is_a_loss(code: int) -> None:
    async def lost(stage: Stage) -> None:
        await opens(stage)
        await stage.connection.close(code)

    async def again(stage: Stage) -> None:
        await opens(stage, 2)
        await stage.ends()

    async with node(lost, again) as client, client.session() as session:
        assert kinds(await rest(session))[-2:] == [Resumed, m.Ended]


async def test_a_node_that_gives_no_sign_of_life_is_left() -> None:
    async def hangs(stage: Stage) -> None:
        await opens(stage)
        stage.connection.transport.pause_reading()
        await stage.connection.wait_closed()

    async def again(stage: Stage) -> None:
        await opens(stage, 2)
        await stage.ends()

    async with node(hangs, again) as client, client.session() as session:
        reconnecting, *_, ended = await rest(session)
    assert isinstance(reconnecting, Reconnecting)
    assert "no sign of life" in reconnecting.because
    assert isinstance(ended, m.Ended)


async def test_a_quiet_node_that_lives_is_not_left() -> None:
    async def quiet(stage: Stage) -> None:
        await opens(stage)
        await stage.hears(m.Finish)
        await stage.ends()

    async with node(quiet) as client, client.session() as session:

        async def finish_late() -> None:
            await asyncio.sleep(5 * QUICK.detect_s)  # the silence itself is what is tested
            await session.finish()

        async with asyncio.TaskGroup() as group:
            group.create_task(finish_late())
            assert kinds(await rest(session)) == [m.Ended]


async def test_nothing_said_while_the_connection_is_lost_is_lost() -> None:
    """And whoever says it does not wait."""
    lost_now, may_go_on = asyncio.Event(), asyncio.Event()

    async def lost(stage: Stage) -> None:
        await opens(stage)
        await stage.hears(bytes)
        cut(stage)

    async def refuses(stage: Stage) -> None:
        await stage.hears(m.Start)
        lost_now.set()
        await may_go_on.wait()
        await stage.says(m.Error("node_full", "full", retryable=True))
        await stage.connection.close(1013)

    async def again(stage: Stage) -> None:
        await opens(stage, 2)
        await stage.hears(m.KeepAlive)
        heard = [await stage.anything() for _ in range(5)]
        assert heard[0] == b"1234"
        assert [decoded(one) for one in heard[1:]] == [m.Marker("a"), b"56", m.Flush("b"), b"78"]
        await stage.hears(m.Finish)
        await stage.ends()

    limits = Limits(close_s=0.2)
    async with node(lost, refuses, again, limits=limits) as client, client.session() as session:

        async def speak() -> None:
            await session.send(b"1234")
            await lost_now.wait()
            await session.marker("a")
            await session.send(b"56")
            await session.flush("b")
            await session.send(b"78")
            await session.keepalive()
            await session.finish()
            may_go_on.set()

        async with asyncio.TaskGroup() as group:
            group.create_task(speak())
            events = await rest(session)
    assert sum(isinstance(event, Reconnecting) for event in events) == 2
    assert isinstance(events[-1], m.Ended)


def decoded(heard: str | bytes) -> bytes | m.ClientMessage:
    from heliovox.protocol.codec import decode_client  # noqa: PLC0415 used here alone

    return heard if isinstance(heard, bytes) else decode_client(heard)


SMALL = Limits(kept_s=0.01, reach_s=0.2, close_s=0.2)
"""Keeps 320 bytes."""


async def test_live_audio_that_had_to_be_dropped_is_told_of() -> None:
    may_go_on = asyncio.Event()

    async def lost(stage: Stage) -> None:
        await opens(stage)
        cut(stage)

    async def again(stage: Stage) -> None:
        await stage.hears(m.Start)
        await may_go_on.wait()
        await stage.says(started(2))
        await stage.hears(m.KeepAlive)
        assert await stage.hears(bytes) == bytes(320)
        await stage.ends()

    async with node(lost, again, limits=SMALL) as client, client.session(live=True) as session:
        assert isinstance(await anext(session), Reconnecting)
        await session.send(bytes(640))
        may_go_on.set()
        events = await rest(session)
    assert events[1:] == [Gap(0, 160), m.Ended("s-1", "finish", 0, 10)]
    assert session.missing_samples == 160


async def test_other_audio_waits_where_no_more_can_be_kept() -> None:
    async def lost(stage: Stage) -> None:
        await opens(stage)
        cut(stage)

    async def hangs(stage: Stage) -> None:
        await stage.connection.wait_closed()

    async with node(lost, hangs, limits=SMALL) as client, client.session() as session:
        assert isinstance(await anext(session), Reconnecting)
        await session.send(bytes(320))
        waits = asyncio.get_running_loop().create_task(session.send(b"cd"))
        await asyncio.wait([waits], timeout=0.05)
        assert not waits.done()
        await session.close()
        with pytest.raises(ConnectionLost):
            await waits


async def test_a_text_that_had_begun_is_over_and_one_that_waited_is_said() -> None:
    async def lost(stage: Stage) -> None:
        await opens(stage)
        speak = await stage.hears(m.Speak)
        await stage.hears(m.Speak)
        await stage.says(m.Speaking(speak.id, "mouth", STARTED.output), bytes(20))
        cut(stage)

    async def again(stage: Stage) -> None:
        await opens(stage, 2)
        await stage.hears(m.KeepAlive)
        assert (await stage.hears(m.Speak)).text == "two"
        await stage.says(m.Spoken("2", 0, cancelled=False))
        await stage.ends()

    async with node(lost, again) as client, client.session("conversation") as session:
        await session.speak("one", speak_id="1")
        await session.speak("two", speak_id="2")
        events = await rest(session)
    spoken = [event for event in events if isinstance(event, m.Spoken)]
    assert spoken == [m.Spoken("1", 10, cancelled=True), m.Spoken("2", 0, cancelled=False)]
    assert [event.id for event in events if isinstance(event, m.Notice)] == ["1"]


async def test_a_reader_may_be_cancelled_while_another_connection_is_sought() -> None:
    """An application may wait with a limit, as often as it likes."""

    async def lost(stage: Stage) -> None:
        await opens(stage)
        cut(stage)

    async def again(stage: Stage) -> None:
        await stage.hears(m.Start)
        await asyncio.sleep(0.05)
        await stage.says(started(2))
        await stage.ends()

    events: list[Event] = []
    async with node(lost, again) as client, client.session() as session:
        while not any(isinstance(event, m.Ended) for event in events):
            waiting = asyncio.get_running_loop().create_task(anext_of(session))
            await asyncio.wait([waiting], timeout=0.002)
            waiting.cancel()
            await asyncio.wait([waiting])
            if not waiting.cancelled():
                events.append(waiting.result())
    assert kinds(events) == [Reconnecting, Resumed, m.Ended]


async def anext_of(session: Session) -> Event:
    return await anext(session)


async def test_whoever_leaves_while_another_connection_is_sought_leaves_nothing_behind() -> None:
    async def lost(stage: Stage) -> None:
        await opens(stage)
        cut(stage)

    async def hangs(stage: Stage) -> None:
        await stage.connection.wait_closed()

    async with node(lost, hangs) as client:
        async with client.session() as session:
            assert isinstance(await anext(session), Reconnecting)
        with pytest.raises(ConnectionLost):
            await anext(session)


async def test_it_ends_when_the_node_knows_nothing_of_it() -> None:
    async def lost(stage: Stage) -> None:
        await opens(stage)
        cut(stage)

    async def refuses(stage: Stage) -> None:
        await stage.hears(m.Start)
        await stage.says(m.Error("resume_refused", "no"))
        await stage.connection.close(4401)

    async with node(lost, refuses) as client, client.session() as session:
        with pytest.raises(Refused) as caught:
            await rest(session)
        for saying in (session.send(b"ab"), session.flush(), session.speak("one")):
            with pytest.raises(Refused):
                await saying
    assert caught.value.code == "resume_refused"


async def test_it_ends_when_its_time_is_over_and_says_what_was_tried() -> None:
    async def lost(stage: Stage) -> None:
        await stage.hears(m.Start)
        await stage.says(started(expires_s=0.3))
        await stage.connection.close(1011, "broken")

    async def hangs(stage: Stage) -> None:
        await stage.connection.wait_closed()

    async with node(lost, hangs) as client, client.session() as session:
        with pytest.raises(ConnectionLost, match="at the same node") as caught:
            await rest(session)
    assert caught.value.code == 1011
    assert "broken" in caught.value.reason


async def test_who_has_the_session_on_a_newer_connection_keeps_it() -> None:
    async def superseded(stage: Stage) -> None:
        await opens(stage)
        await stage.says(m.Error("superseded", "a newer connection has it"))
        await stage.connection.close(4409)

    async with node(superseded) as client, client.session() as session:
        with pytest.raises(Refused) as caught:
            await rest(session)
    assert caught.value.code == "superseded"


async def test_a_hole_among_finals_is_loud() -> None:
    async def lost(stage: Stage) -> None:
        await opens(stage)
        await stage.hears(bytes)
        cut(stage)

    async def again(stage: Stage) -> None:
        await opens(stage, 2)
        await stage.says(final(2))
        await stage.connection.wait_closed()

    async with node(lost, again) as client, client.session() as session:
        await session.send(bytes(2000))
        with pytest.raises(NodeMisbehaved, match="final 2 after final 0"):
            await rest(session)


async def test_without_recovery_a_lost_connection_is_the_end() -> None:
    async def lost(stage: Stage) -> None:
        start = await opens(stage)
        assert not start.recovers
        cut(stage)

    async with node(lost) as client, client.session(recover=False) as session:
        with pytest.raises(ConnectionLost):
            await anext(session)
