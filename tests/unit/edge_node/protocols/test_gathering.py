"""Sockets read together, over real sockets and a rule that always or never pauses."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from edge_node.protocols.gathered import MOST_READS, GatheredReading
from edge_node.protocols.gathering import Gatherer
from edge_node.protocols.moderation import GatherRules
from shared.clock import SystemClock

pytestmark = pytest.mark.anyio
LIMIT_S = 10.0
ALWAYS = GatherRules(longest_s=0.02, wanted=1e9, worthwhile=0.0)
TOLD = GatherRules(longest_s=0.02, worthwhile=1e9)
OFF = GatherRules(longest_s=0.0)
ROOM_BYTES = 64


class Protocol:
    """Notes what it is given, in a buffer of its own."""

    def __init__(self) -> None:
        self.room, self.came, self.news = bytearray(ROOM_BYTES), b"", asyncio.Event()
        self.fails = False

    def get_buffer(self, sizehint: int) -> memoryview:
        return memoryview(self.room)

    def buffer_updated(self, nbytes: int) -> None:
        if self.fails:
            raise RuntimeError("broken")
        self.came += self.room[:nbytes]
        self.news.set()

    async def until(self, size: int) -> bytes:
        async with asyncio.timeout(LIMIT_S):
            while len(self.came) < size:
                self.news.clear()
                await self.news.wait()
        return self.came


class Transport:
    """Notes who reads."""

    def __init__(self, own: socket.socket) -> None:
        self.own, self.reads, self.closing, self.tls = own, True, False, False
        self.back = asyncio.Event()

    def get_extra_info(self, name: str) -> socket.socket:
        return self.own

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True
        self.back.set()

    def is_closing(self) -> bool:
        return self.closing

    def can_write_eof(self) -> bool:
        return not self.tls


class Line:
    """A connection that is read with others, and its far end."""

    def __init__(self, gatherer: Gatherer) -> None:
        near, self.far = socket.socketpair()
        near.setblocking(False)
        self.protocol, self.transport, self.aborted = Protocol(), Transport(near), False
        self.reading = GatheredReading(
            self.transport,  # type: ignore[arg-type]
            self.protocol,
            gatherer,
            self.abort,
        )

    def abort(self) -> None:
        self.aborted = True
        self.hang_up()

    def hang_up(self) -> None:
        self.reading.pause()
        self.transport.closing = True
        self.transport.own.close()
        self.far.close()


@asynccontextmanager
async def lines(rules: GatherRules, count: int = 2) -> AsyncIterator[list[Line]]:
    gatherer, ready = Gatherer(rules, SystemClock()), asyncio.Event()
    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        running = group.create_task(gatherer.run(ready))
        await ready.wait()
        made = [Line(gatherer) for _ in range(count)]
        yield made
        for line in made:
            line.hang_up()
        running.cancel()


@pytest.mark.parametrize("rules", [ALWAYS, TOLD])
async def test_every_byte_comes_once_and_in_order(rules: GatherRules) -> None:
    sent = [bytes(range(number, number + 200)) for number in (0, 50)]
    async with lines(rules) as made:
        for line, data in zip(made, sent, strict=True):
            assert line.reading.begin()
            assert not line.transport.reads
            for at in range(0, len(data), 50):
                line.far.sendall(data[at : at + 50])
                await line.protocol.until(at + 50)
        assert [line.protocol.came for line in made] == sent


async def test_without_pauses_the_transport_reads_as_ever() -> None:
    async with lines(OFF) as (line, _):
        assert not line.reading.begin()
        assert line.transport.reads


async def test_tls_and_connections_at_their_end_read_themselves() -> None:
    async with lines(TOLD) as (tls, closing):
        tls.transport.tls = closing.transport.closing = True
        assert not tls.reading.begin()
        assert not closing.reading.begin()
        assert tls.transport.reads
        assert closing.transport.reads


@pytest.mark.parametrize("rules", [ALWAYS, TOLD])
async def test_an_end_is_left_to_the_transport_after_the_last_byte(rules: GatherRules) -> None:
    async with lines(rules) as (line, _):
        line.reading.begin()
        line.far.sendall(b"last")
        line.far.shutdown(socket.SHUT_WR)
        await line.transport.back.wait()
        assert line.protocol.came == b"last"
        assert line.transport.own.recv(1) == b""  # the transport finds the end as well


async def test_a_paused_connection_is_left_in_the_kernel() -> None:
    async with lines(TOLD) as (paused, other):
        for line in (paused, other):
            line.reading.begin()
        paused.reading.pause()
        paused.far.sendall(b"later")
        other.far.sendall(b"now")
        await other.protocol.until(3)
        assert paused.protocol.came == b""
        paused.reading.resume()
        assert await paused.protocol.until(5) == b"later"


async def test_whoever_pauses_in_the_middle_of_a_look_gets_no_more() -> None:
    """The conversation says that too much audio waits while more of it is being read."""
    async with lines(TOLD) as (line, _):
        line.reading.begin()
        updated = line.protocol.buffer_updated

        def pause_after(nbytes: int) -> None:
            updated(nbytes)
            line.reading.pause()

        line.protocol.buffer_updated = pause_after  # type: ignore[method-assign]
        line.far.sendall(bytes(3 * ROOM_BYTES))
        await line.protocol.until(ROOM_BYTES)
        assert len(line.protocol.came) == ROOM_BYTES


async def test_a_fast_sender_does_not_hold_up_a_look() -> None:
    async with lines(TOLD) as (fast, _):
        fast.reading.begin()
        size = 2 * MOST_READS * ROOM_BYTES
        fast.far.sendall(bytes(size))
        fast.reading.read()
        assert len(fast.protocol.came) == MOST_READS * ROOM_BYTES
        assert len(await fast.protocol.until(size)) == size  # at the next looks


async def test_a_fault_in_one_ends_that_one_alone(caplog: pytest.LogCaptureFixture) -> None:
    async with lines(ALWAYS) as (broken, other):
        broken.protocol.fails = True
        for line in (broken, other):
            line.reading.begin()
            line.far.sendall(b"hello")
        await other.protocol.until(5)
        broken.protocol.fails = False
        other.far.sendall(b"again")
        await other.protocol.until(10)
        assert broken.aborted
        assert not other.aborted
        assert "failed while it was read" in caplog.text


async def test_a_number_taken_over_by_a_newcomer_stays_the_newcomers() -> None:
    """The kernel gives a closed socket's number to the next one, before the first is forgotten."""
    gatherer, ready, old, new = Gatherer(TOLD, SystemClock()), asyncio.Event(), Idle(), Idle()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(gatherer.run(ready))
        await ready.wait()
        first, far = socket.socketpair()
        number = first.fileno()
        gatherer.watch(number, old)
        first.close()
        second = socket.socket(fileno=os.dup2(far.fileno(), number))
        gatherer.watch(number, new)
        gatherer.unwatch(number, old)
        assert gatherer._readers == {number: new}
        running.cancel()
    second.close()
    far.close()


async def test_at_the_end_nobody_is_watched_any_more() -> None:
    async with lines(TOLD) as made:
        line = made[0]
        gatherer = line.reading._gatherer
        line.reading.begin()
    assert not gatherer.watch(0, Idle())


class Idle:
    def read(self) -> None: ...

    def broke(self) -> None: ...
