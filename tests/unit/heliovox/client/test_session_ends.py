"""How sessions end, by whichever side, against a node that follows a script."""

import asyncio

import pytest

from heliovox.client import (
    ConnectionLost,
    Event,
    Limits,
    NodeMisbehaved,
    Session,
    TimedOut,
)
from heliovox.protocol import messages as m
from heliovox.protocol.audio import AudioFormat
from tests.support.scripted_node import LIMIT_S, Stage, final, staged

pytestmark = pytest.mark.anyio


async def test_a_connection_that_ends_without_an_end_is_lost() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.connection.close(1001, "so long")

    async with staged(script) as client, client.session() as session:
        with pytest.raises(ConnectionLost) as caught:
            await anext(session)
        with pytest.raises(ConnectionLost):  # and stays so
            await session.flush()
    assert (caught.value.code, caught.value.reason) == (1001, "so long")


async def test_a_node_that_vanishes_is_a_lost_connection() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        stage.connection.transport.abort()

    async with staged(script) as client, client.session() as session:
        with pytest.raises(ConnectionLost) as caught:
            await anext(session)
    assert caught.value.code is None


async def test_a_draining_end_is_an_end() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.says(m.Draining(1000))
        await stage.ends(1001, "draining")

    async with staged(script) as client, client.session() as session:
        events = [event async for event in session]
    assert [type(event) for event in events] == [m.Draining, m.Ended]


async def test_a_silent_node_is_given_up() -> None:
    async def script(stage: Stage) -> None:
        await stage.hears(m.Start)
        await stage.connection.wait_closed()

    async with staged(script, Limits(open_s=0.05)) as client:
        with pytest.raises(TimedOut):
            async with client.session():
                pass


async def test_a_node_that_owes_an_answer_is_given_up() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.hears(m.Finish)
        await stage.connection.wait_closed()

    async with staged(script, Limits(answer_s=0.05)) as client, client.session() as session:
        await session.finish()
        with pytest.raises(TimedOut):
            await anext(session)


async def test_waiting_keeps_the_session_alive() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.hears(m.KeepAlive)
        await stage.hears(m.KeepAlive)
        await stage.ends()

    async with staged(script, Limits(keepalive_s=0.02)) as client, client.session() as session:
        assert [type(event) async for event in session] == [m.Ended]


@pytest.mark.parametrize(
    "wrong",
    ["{}", "not json", '{"type":"flushed","id":""}', b"audio", '{"type":"newer"}'],
)
async def test_a_node_that_breaks_the_protocol_is_named(wrong: str | bytes) -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.says(wrong)
        await stage.connection.wait_closed()

    async with staged(script) as client, client.session() as session:
        with pytest.raises(NodeMisbehaved):
            await anext(session)


async def test_an_unread_session_stops_its_other_reader() -> None:
    """Nothing grows without bound: a reader alone cannot fill the other one's queue for ever."""

    async def script(stage: Stage) -> None:
        await stage.opens()
        speak = await stage.hears(m.Speak)
        await stage.says(m.Speaking(speak.id, "mouth", AudioFormat()))
        await stage.says(*(final(seq) for seq in range(1, 6)))
        await stage.hears(m.Cancel)
        await stage.connection.wait_closed()

    limits = Limits(events=4, unread_s=0.05)
    async with staged(script, limits) as client, client.session("conversation") as session:
        with pytest.raises(TimedOut):
            await anext(session.say("hello"))


async def test_leaving_the_block_closes_the_connection() -> None:
    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.connection.wait_closed()
        assert stage.connection.close_code == 1000

    async with staged(script) as client:
        with pytest.raises(LookupError):
            async with client.session():
                raise LookupError


async def test_a_cancelled_reader_leaves_in_order() -> None:
    waiting = asyncio.Event()

    async def script(stage: Stage) -> None:
        await stage.opens()
        waiting.set()
        await stage.connection.wait_closed()
        assert stage.connection.close_code == 1000

    async with staged(script) as client:

        async def listen() -> None:
            async with client.session() as session:
                await anext(session)

        task = asyncio.get_running_loop().create_task(listen())
        await waiting.wait()
        task.cancel()
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait([task])
        assert task.cancelled()


async def test_a_cancelled_sender_is_not_held_up_by_a_node_that_does_not_read() -> None:
    left = asyncio.Event()

    async def script(stage: Stage) -> None:
        await stage.opens()
        stage.connection.transport.pause_reading()
        await left.wait()
        stage.connection.transport.abort()

    async with staged(script, Limits(close_s=0.05)) as client:

        async def send(opened: asyncio.Event) -> None:
            async with client.session() as session:
                opened.set()
                await session.send(bytes(1 << 26))

        opened = asyncio.Event()
        task = asyncio.get_running_loop().create_task(send(opened))
        await opened.wait()
        task.cancel()
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait([task])
        left.set()
        assert task.cancelled()


async def test_a_cancelled_wait_loses_no_event() -> None:
    """An application may wait with a limit, as often as it likes."""

    async def script(stage: Stage) -> None:
        await stage.opens()
        await stage.hears(m.Flush)
        await stage.says(final(1, "one"), final(2, "two"))
        await stage.hears(m.Ack)
        await stage.hears(m.Ack)
        await stage.ends()

    async with staged(script) as client, client.session() as session:
        for _ in range(5):
            waiting = asyncio.get_running_loop().create_task(anext_of(session))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
        await session.flush()
        assert [e.text async for e in session if isinstance(e, m.Final)] == ["one", "two"]


async def anext_of(session: Session) -> Event:
    return await anext(session)
