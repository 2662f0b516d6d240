"""Decisions that other control planes can read, kept in batches."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypothesis import given
from hypothesis import strategies as st

from control_plane.decisions import Decisions
from control_plane.ids import BATCH_DECISIONS, BATCH_MS, batch_of, decision_ids, plane_of
from control_plane.placement import decide
from control_plane.publishing import EVERY_S, MOST_WAITING, Publishing
from control_plane.streams import DECISIONS
from shared.bus.memory import MemoryBus
from tests.support.fleets import ask, policy, report, view
from tests.support.virtual_time import LoopClock, run_virtually


class Plane:
    """Makes decisions and keeps them on a bus in memory."""

    def __init__(self) -> None:
        self.bus = MemoryBus()
        self.wall_ms = 1_800_000_000_000
        self.new_id = decision_ids("p-1", lambda: self.wall_ms)
        self.decisions = Decisions(self.bus, "p-1", 10_000)
        self.publishing = Publishing(self.bus, LoopClock(), self.decisions, "p-1")

    def decide(self, count: int = 1) -> list[str]:
        """So many decisions, told to whoever keeps them. Returns their ids."""
        made = []
        for _ in range(count):
            decision = decide(view(report("n1")), ask(id=self.new_id()), policy())
            self.decisions.made(decision, ("n1: granted",), "s-1")
            self.publishing.made(decision.ask.id)
            made.append(decision.ask.id)
        return made

    async def found(self, ids: list[str]) -> list[str]:
        """Those that a control plane reads that made none of them."""
        other = Decisions(self.bus, "p-2", 10)
        views = [await other.decision(one) for one in ids]
        return [one.id for one in views if one is not None]


@asynccontextmanager
async def running(plane: Plane) -> AsyncIterator[None]:
    """While decisions are kept; what waits at the end is kept too."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(plane.publishing.run(asyncio.Event()))
        await asyncio.sleep(0)
        yield
        task.cancel()


def test_others_read_them_also_those_that_join_their_batch_later() -> None:
    async def go() -> None:
        plane = Plane()
        await plane.bus.ensure_stream(DECISIONS)
        async with running(plane):
            first = plane.decide(3)
            await asyncio.sleep(EVERY_S / 2)
            assert await plane.found(first) == first
            later = plane.decide(2)
            assert batch_of(later[0]) == batch_of(first[0])
            await asyncio.sleep(2 * EVERY_S)
            assert await plane.found(first + later) == first + later
            assert await plane.found([first[0][:-2] + "ff"]) == []
            assert (plane.publishing.kept, len(plane.publishing)) == (5, 0)

    run_virtually(go())


def test_a_busy_moment_takes_few_messages_and_an_end_loses_none() -> None:
    async def go() -> None:
        plane = Plane()
        await plane.bus.ensure_stream(DECISIONS)
        async with running(plane):
            made = plane.decide(10 * BATCH_DECISIONS)
        assert len({batch_of(one) for one in made}) == 10
        assert len(list(plane.bus.log(DECISIONS.name).after(0, "hv.meta.>"))) == 10
        assert await plane.found(made) == made

    run_virtually(go())


def test_a_stream_that_is_away_costs_the_oldest_and_says_how_many() -> None:
    async def go() -> None:
        plane = Plane()
        async with running(plane):
            made = plane.decide(MOST_WAITING + 5)
            await asyncio.sleep(3)
            assert plane.publishing.dropped == 5
            await plane.bus.ensure_stream(DECISIONS)
            await asyncio.sleep(3)
            assert await plane.found(made[:6]) == made[5:6]

    run_virtually(go())


@given(st.lists(st.integers(0, 3 * BATCH_MS), max_size=200), st.integers(0, 2**41))
def test_ids_never_repeat_sort_by_time_and_fill_batches_no_further_than_they_may(
    steps_ms: list[int], start_ms: int
) -> None:
    now_ms = start_ms

    def clock() -> int:
        return now_ms

    new, made = decision_ids("p-1", clock), []
    for step_ms in steps_ms:
        now_ms += step_ms
        made.append(new())
    assert len(set(made)) == len(made)
    assert made == sorted(made)
    assert all(plane_of(one) == "p-1" for one in made)
    batches = [batch_of(one) for one in made]
    assert all(batches.count(batch) <= BATCH_DECISIONS for batch in set(batches))
