"""Probes over real sockets: who counts as there, and what the fleet makes of it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from control_plane.fleet import Fleet, State
from control_plane.placement.record import read_batch
from control_plane.placement.recorder import Recorder
from control_plane.placement.replay import replay
from control_plane.probes import Probes
from control_plane.probing import Probing, answers
from control_plane.waiting import Changes
from shared.tasks import Tasks
from tests.support.fleets import report, world


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at_s = 10.0

    def now_s(self) -> float:
        return self.at_s

    async def sleep(self, seconds: float) -> None:
        await asyncio.Event().wait()


class Door:
    """Answers every request with one text; None says nothing."""

    def __init__(self) -> None:
        self.says: bytes | None = b"HTTP/1.1 200 OK\r\n\r\n"
        self.port = 0
        self.asked: list[bytes] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/healthz"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked.append(await reader.readline())
        if self.says is not None:
            writer.write(self.says)
        else:
            await reader.read()  # until the other side is tired of it
        writer.close()


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    made = Door()
    server = await asyncio.start_server(made.answer, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def run(work: Coroutine[Any, Any, None]) -> None:
    async def limited() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(limited())


def test_only_a_plain_yes_in_time_is_an_answer() -> None:
    async def go() -> None:
        async with door() as at:
            assert await answers(at.url, 5.0)
            assert at.asked == [b"GET /healthz HTTP/1.1\r\n"]
            for no in (
                b"HTTP/1.1 503 Service Unavailable\r\n\r\n",
                b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
                b"SSH-2.0\r\n", b"x" * 10_000, b"",
            ):  # fmt: skip
                at.says = no
                assert not await answers(at.url, 5.0)
            at.says = None
            assert not await answers(at.url, 0.05)
            assert not await answers(at.url.replace("http:", "https:"), 0.2)
        assert not await answers(at.url, 5.0)
        assert not await answers("http://" + "x" * 80 + ".invalid/healthz", 5.0)

    run(go())


def test_a_node_that_reports_and_is_not_reached_is_out_until_it_is() -> None:
    async def go() -> None:
        clock, recorder, tasks = Hand(), Recorder("p", "s"), Tasks()
        fleet = Fleet(world(), 0.0, witness=recorder)
        probing = Probing(clock, fleet, Changes(), tasks, Probes(every_s=1.0))

        async def second(count: int = 1) -> State | None:
            for _ in range(count):
                clock.at_s += 1.0
                said = report(seq=round(clock.at_s), url=f"ws://127.0.0.1:{at.port}/v1/stream")
                fleet.reported(said, clock.at_s)
                probing._look()
                await tasks.settle(10.0)
            return fleet.view(clock.at_s).state_of("a")

        async with door() as at:
            assert await second(5) is State.READY
            at.says = b"HTTP/1.1 500 Oh\r\n\r\n"
            assert await second(2) is State.READY
            assert await second(1) is State.UNREACHABLE
            assert fleet.nodes(clock.at_s)[0].state == "unreachable"
            at.says = b"HTTP/1.1 200 OK\r\n\r\n"
            assert await second(1) is State.READY
            assert fleet.view(clock.at_s).share.tolist() == [0.1]
            assert probing.answers == {"ok": 6, "failed": 3} or probing.answers["failed"] == 3
        packed = recorder.take()
        assert packed is not None
        assert replay([read_batch(packed.data)]).differences == []
        kinds = [type(one).__name__ for one in read_batch(packed.data).records]
        assert kinds.count("Reached") == 2  # what is not new is not taken down

    run(go())


def test_a_report_changes_nothing_of_a_node_that_is_not_reached() -> None:
    fleet = Fleet(world(), 0.0)
    fleet.reported(report(), 10.0)
    assert fleet.reached("a", 10.0, reachable=False)
    assert not fleet.reached("a", 10.0, reachable=False)
    assert not fleet.reached("nobody", 10.0, reachable=False)
    fleet.reported(msgspec.structs.replace(report(), seq=2, boot="b2"), 11.0)
    assert fleet.view(11.0).state_of("a") is State.UNREACHABLE
