import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from control_plane.fleet import Fleet
from control_plane.placement import decide
from control_plane.placement.record import Batch, read_batch
from control_plane.placement.recorder import SNAPSHOT_EVERY_S, Recorder
from control_plane.placement.replay import replay
from control_plane.recording import Recording
from shared.bus import Stream
from shared.bus.memory import MemoryBus
from shared.subjects import record
from tests.support.fleets import ask, policy, report, world
from tests.support.virtual_time import LoopClock, run_virtually

STREAM = Stream("RECORDS", 2**24, ("hv.meta.centre.*.record",))


class Plane:
    """A fleet whose inputs are taken down and brought to a stream in memory."""

    def __init__(self, bus: MemoryBus, kept_bytes: int) -> None:
        self.bus, self.clock = bus, LoopClock()
        self.recorder = Recorder("plane-1", "s1", kept_bytes)
        self.fleet = Fleet(world(), 0.0, witness=self.recorder)
        self.recording = Recording(bus, self.clock, self.recorder, self.fleet, "plane-1")
        self.seq = 0

    def second(self) -> None:
        """A report and a decision."""
        self.seq += 1
        now_s = self.clock.now_s()
        self.fleet.reported(report(seq=self.seq, fits=self.seq % 7), now_s)
        self.recorder.decided(decide(self.fleet.view(now_s), ask(), policy()))

    def stored(self) -> list[Batch]:
        lines = self.bus.log("RECORDS").after(0, record("plane-1"))
        return [read_batch(line.data) for line in lines]


@asynccontextmanager
async def running(kept_bytes: int = 2**20) -> AsyncIterator[Plane]:
    bus = MemoryBus()
    await bus.ensure_stream(STREAM)
    plane = Plane(bus, kept_bytes)
    async with asyncio.TaskGroup() as group:
        ready = asyncio.Event()
        task = group.create_task(plane.recording.run(ready))
        await ready.wait()
        yield plane
        task.cancel()


def test_what_was_taken_down_is_stored_within_a_second_and_at_the_end() -> None:
    async def go() -> Plane:
        async with running() as plane:
            plane.second()
            await asyncio.sleep(1.5)
            assert plane.recording.kept == 1
            plane.second()
        return plane

    plane = run_virtually(go())
    result = replay(plane.stored())
    assert (result.decisions, result.differences, result.gaps) == (2, [], [])


def test_a_stream_that_is_away_gets_everything_later_and_once() -> None:
    async def go() -> Plane:
        async with running() as plane:
            plane.bus.cut()
            for _ in range(5):
                plane.second()
                await asyncio.sleep(1)
            plane.bus.mend()
            await asyncio.sleep(2)
        return plane

    result = replay(run_virtually(go()).stored())
    assert (result.decisions, result.differences, result.gaps) == (5, [], [])


def test_after_a_gap_there_is_a_snapshot_to_go_on_from() -> None:
    async def go() -> Plane:
        async with running(kept_bytes=4_000) as plane:
            plane.bus.cut()
            for _ in range(50):
                plane.second()
                await asyncio.sleep(1)
            plane.bus.mend()
            await asyncio.sleep(3)
            plane.second()
        return plane

    plane = run_virtually(go())
    assert plane.recording.dropped > 10
    result = replay(plane.stored())
    assert (result.differences, len(result.gaps), result.skipped) == ([], 1, 0)


def test_there_is_a_snapshot_every_five_minutes() -> None:
    async def go() -> Plane:
        async with running() as plane:
            for _ in range(int(2.5 * SNAPSHOT_EVERY_S)):
                plane.second()
                await asyncio.sleep(1)
        return plane

    stored = run_virtually(go()).stored()
    kinds = [type(one).__name__ for batch in stored for one in batch.records]
    assert kinds.count("Snapshot") == 3
