import asyncio
from collections.abc import Awaitable, Callable

from control_plane.streams import BUNDLE, CENTRE_NOTES, NOTED, Streams
from shared.bus.memory import MemoryBus
from shared.bus.model import Stream
from shared.clock import SystemClock
from shared.errors import BusFailed


class Hub(MemoryBus):
    """A bus on which only some regions' servers are there."""

    def __init__(self, there: set[str], beside: MemoryBus | None = None) -> None:
        super().__init__(None if beside is None else beside.exchange)
        self.there, self.sourced = there, list[set[str]]()
        self.linked = set[str]()
        """From which reports come."""

    async def ensure_stream(self, stream: Stream) -> None:
        if stream.domain is not None and stream.domain not in self.there:
            raise BusFailed("nobody there")
        if stream.name == CENTRE_NOTES:
            self.sourced.append({source.domain or "" for source in stream.sources})
        await super().ensure_stream(stream)


def with_streams(hub: Hub, test: Callable[[Streams], Awaitable[None]]) -> None:
    async def go() -> None:
        clock = SystemClock()
        streams = Streams(
            hub,
            clock,
            regions=lambda: {"a", "b", "c"},
            heard_s=lambda: dict.fromkeys(hub.linked, clock.now_s()),
        )
        assert streams.check() is not None
        ready = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            running = group.create_task(streams.run(ready))
            await ready.wait()
            await test(streams)
            running.cancel()

    asyncio.run(go())


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 the service has no event for it
            await asyncio.sleep(0.01)


def test_only_regions_that_are_there_are_gathered_from() -> None:
    hub = Hub({"a"})

    async def go(streams: Streams) -> None:
        assert hub.sourced == [{"a"}]
        assert streams.check() is None

    with_streams(hub, go)


def test_a_region_that_comes_is_gathered_from_at_once() -> None:
    hub = Hub({"a"})

    async def go(streams: Streams) -> None:
        hub.there = {"a", "b"}
        hub.linked = {"b"}
        await until(lambda: streams.check() is None)
        await until(lambda: hub.sourced[-1] == {"a", "b"})

    with_streams(hub, go)


def test_a_region_whose_link_is_back_is_gathered_from_anew() -> None:
    """The server itself would try it again only after a long while."""
    hub = Hub({"a", "b"})

    async def go(_: Streams) -> None:
        hub.linked = {"b"}
        await until(lambda: hub.sourced == [{"a", "b"}, {"a"}, {"a", "b"}])

    with_streams(hub, go)


def test_a_region_that_is_away_now_is_not_forgotten() -> None:
    hub = Hub({"a", "b"})

    async def nothing(_: Streams) -> None: ...

    with_streams(hub, nothing)
    again = Hub({"b"}, beside=hub)

    async def go(_: Streams) -> None:
        assert again.sourced == [{"a", "b"}]
        entry = await again.kv(BUNDLE.name).get(NOTED)
        assert entry is not None
        assert entry.value == b'["a","b"]'

    with_streams(again, go)
