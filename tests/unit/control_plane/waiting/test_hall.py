import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from control_plane.waiting.changes import Changes
from control_plane.waiting.hall import Asker, CallerGone, Gone, Waiting
from control_plane.waiting.queue import Line
from shared.errors import BusFailed, NoRoom
from shared.tasks import Tasks
from tests.support.virtual_time import LoopClock, run_virtually

FULL = NoRoom("full", decision="d-0")
A, B = Line(frozenset({"a"}), "recognition"), Line(frozenset({"b"}), "recognition")
BOTH = Line(frozenset({"a", "b"}), "recognition")
FOREVER_S = 1000.0


@dataclass(frozen=True)
class Seat:
    region: str
    at_s: float


class Seats:
    """As many as are put there; an attempt takes a while."""

    def __init__(self, changes: Changes, takes_s: float = 0.0) -> None:
        self.free = {"a": 0, "b": 0}
        self.attempts = self.given_back = 0
        self.changes, self.takes_s = changes, takes_s

    def add(self, count: int = 1, region: str = "a") -> None:
        self.free[region] += count
        self.changes.changed()

    def regions(self, _kind: str) -> frozenset[str]:
        return frozenset(name for name, count in self.free.items() if count)

    async def take(self, line: Line, gone: Gone) -> Seat:
        self.attempts += 1
        region = next((name for name in sorted(line.regions) if self.free[name]), None)
        if region is not None:
            self.free[region] -= 1
        await asyncio.sleep(self.takes_s)
        if region is None:
            raise NoRoom("full", decision=f"d-{self.attempts}")
        if gone():
            self.given_back += 1
            raise CallerGone("gone")
        return Seat(region, asyncio.get_running_loop().time())


def never() -> bool:
    return False


class Hall:
    def __init__(self, waiting: Waiting, seats: Seats) -> None:
        self.waiting, self.seats = waiting, seats

    def asker(
        self, tenant: str = "t", line: Line = A, wait_s: float = FOREVER_S, gone: Gone = never
    ) -> Asker:
        return Asker(tenant, line, wait_s, lambda left: self.seats.take(line, left), FULL, gone)

    def before(self, line: Line) -> bool:
        return self.waiting.before(lambda: line)

    async def wait(self, *args: object, **more: object) -> Seat:
        seat: Seat = await self.waiting.wait(self.asker(*args, **more))  # type: ignore[arg-type]
        return seat


@asynccontextmanager
async def hall(most: int = 10, takes_s: float = 0.0) -> AsyncIterator[Hall]:
    changes, tasks = Changes(), Tasks()
    seats = Seats(changes, takes_s)
    weights = {"heavy": 3}
    service = Waiting(
        changes,
        LoopClock(),
        tasks,
        weight=lambda tenant: weights.get(tenant, 1),
        free=seats.regions,
        most=most,
        settle_s=0.1,
    )
    async with asyncio.TaskGroup() as group:
        ready = asyncio.Event()
        running = group.create_task(service.run(ready))
        await ready.wait()
        yield Hall(service, seats)
        running.cancel()
    await tasks.end()


def test_whoever_waits_gets_the_seat_that_becomes_free() -> None:
    async def go() -> None:
        async with hall() as room, asyncio.TaskGroup() as group:
            got = group.create_task(room.wait())
            await asyncio.sleep(4)
            room.seats.add()
            assert await got == Seat("a", pytest.approx(4.1))
            assert (len(room.waiting), room.waiting.served) == (0, 1)

    run_virtually(go())


def test_the_refusal_names_the_last_decision() -> None:
    async def go() -> None:
        async with hall() as room:
            with pytest.raises(NoRoom) as refused:
                await room.wait(wait_s=10)
            assert refused.value.decision == "d-1"
            assert asyncio.get_running_loop().time() == pytest.approx(10)
            assert (len(room.waiting), room.waiting.given_up) == (0, 1)

    run_virtually(go())


def test_an_attempt_that_has_begun_is_let_through_to_its_end() -> None:
    async def go() -> None:
        async with hall(takes_s=2.0) as room, asyncio.TaskGroup() as group:
            got = group.create_task(room.wait(wait_s=5))
            await asyncio.sleep(4)
            room.seats.add()
            assert (await got).at_s == pytest.approx(6.1)

    run_virtually(go())


def test_seats_go_to_tenants_in_turn_and_to_the_first_of_each() -> None:
    async def go() -> None:
        got: list[tuple[str, int]] = []

        async def one(tenant: str, number: int) -> None:
            await room.wait(tenant)
            got.append((tenant, number))

        async with hall() as room, asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(one("flood", number))
            await asyncio.sleep(1)
            group.create_task(one("late", 0))
            for _ in range(4):
                await asyncio.sleep(1)
                room.seats.add()
        assert got == [("flood", 0), ("late", 0), ("flood", 1), ("flood", 2)]

    run_virtually(go())


def test_several_seats_at_once_are_all_given() -> None:
    async def go() -> None:
        async with hall() as room, asyncio.TaskGroup() as group:
            waiting = [group.create_task(room.wait()) for _ in range(3)]
            await asyncio.sleep(1)
            room.seats.add(3)
            await asyncio.gather(*waiting)
            assert asyncio.get_running_loop().time() < 1.2

    run_virtually(go())


def test_one_line_does_not_hold_up_another() -> None:
    """Neither by being full, nor while its turn takes long."""

    async def go() -> None:
        async with hall(takes_s=1.5) as room, asyncio.TaskGroup() as group:
            first = group.create_task(room.wait(line=A))
            await asyncio.sleep(0.1)
            second = group.create_task(room.wait(line=B))
            await asyncio.sleep(4)
            room.seats.add(region="b")
            assert (await second).at_s == pytest.approx(5.7)
            room.seats.add()
            await first

    run_virtually(go())


def test_a_line_that_shares_regions_does_not_pass() -> None:
    """The seat that both could have goes to whoever waits longer."""

    async def go() -> None:
        async with hall() as room, asyncio.TaskGroup() as group:
            first = group.create_task(room.wait("x", line=BOTH))
            await asyncio.sleep(1)
            second = group.create_task(room.wait("y", line=A))
            await asyncio.sleep(1)
            room.seats.add()
            await first
            assert not second.done()
            room.seats.add()
            await second

    run_virtually(go())


def test_whoever_comes_stands_back_only_for_a_seat_that_others_wait_for() -> None:
    async def go() -> None:
        async with hall() as room, asyncio.TaskGroup() as group:
            first = group.create_task(room.wait("x", line=A))
            await asyncio.sleep(1)
            assert not any(room.before(line) for line in (A, B, BOTH))
            room.seats.add(region="b")
            assert not any(room.before(line) for line in (A, B, BOTH))
            room.seats.add(region="a")
            assert [room.before(line) for line in (A, B, BOTH)] == [True, False, True]
            await first

    run_virtually(go())


@pytest.mark.parametrize("wait_s", [0.0, FOREVER_S])
def test_nobody_passes_while_a_change_settles(wait_s: float) -> None:
    async def go() -> None:
        async with hall() as room, asyncio.TaskGroup() as group:
            first = group.create_task(room.wait("x", line=A))
            await asyncio.sleep(1)
            room.seats.add()
            later = room.waiting.stand(room.asker("y", BOTH, wait_s))
            await first
            if wait_s:
                room.seats.add()
                await later.end
            else:
                with pytest.raises(NoRoom):
                    await later.end

    run_virtually(go())


def test_whoever_does_not_wait_gets_what_is_left_when_all_had_their_turn() -> None:
    async def go() -> None:
        async with hall() as room, asyncio.TaskGroup() as group:
            waits = group.create_task(room.wait("x", line=A))
            await asyncio.sleep(1)
            with pytest.raises(NoRoom):  # nothing has changed since the line was refused
                await room.wait("y", line=A, wait_s=0)
            with pytest.raises(NoRoom) as refused:
                await room.wait("y", line=BOTH, wait_s=0)
            assert refused.value.decision == "d-2"
            room.seats.add(2)
            hasty = group.create_task(room.wait("y", line=BOTH, wait_s=0))
            await asyncio.gather(waits, hasty)
            assert room.seats.free["a"] == 0

    run_virtually(go())


def test_one_tenants_flood_does_not_crowd_others_out() -> None:
    async def go() -> None:
        async with hall(most=4) as room, asyncio.TaskGroup() as group:

            async def refused(tenant: str) -> None:
                with pytest.raises(NoRoom):
                    await room.wait(tenant)

            kept = [group.create_task(room.wait("flood")) for _ in range(2)]
            await asyncio.sleep(0)
            youngest = [group.create_task(refused("flood")) for _ in range(2)]
            await asyncio.sleep(1)
            await refused("flood")
            others = [group.create_task(room.wait("other")) for _ in range(2)]
            await asyncio.gather(*youngest)
            assert (len(room.waiting), room.waiting.crowded_out) == (4, 3)
            room.seats.add(4)
            await asyncio.gather(*kept, *others)

    run_virtually(go())


def test_the_end_of_the_control_plane_refuses_all_at_once() -> None:
    async def go() -> None:
        async def refused() -> None:
            with pytest.raises(NoRoom):
                await room.wait()

        async with asyncio.TaskGroup() as group, hall() as room:
            for _ in range(3):
                group.create_task(refused())
            await asyncio.sleep(1)
        assert asyncio.get_running_loop().time() < 10
        with pytest.raises(NoRoom):
            await room.wait()

    run_virtually(go())


def test_another_fault_ends_the_waiting() -> None:
    async def go() -> None:
        async def broken(_: Gone) -> Seat:
            raise BusFailed("gone")

        async with hall() as room:
            with pytest.raises(BusFailed):
                await room.waiting.wait(Asker("t", A, 10, broken, FULL, never))
            assert len(room.waiting) == 0

    run_virtually(go())


def test_whoever_goes_away_leaves_the_line_and_gives_back_what_is_on_its_way() -> None:
    async def go() -> None:
        async with hall(takes_s=1.0) as room, asyncio.TaskGroup() as group:
            first = group.create_task(room.wait())
            await asyncio.sleep(2)
            second = group.create_task(room.wait())
            room.seats.add()
            await asyncio.sleep(0.5)
            first.cancel()
            await asyncio.sleep(1)
            assert (room.seats.given_back, len(room.waiting), room.waiting.went) == (1, 1, 1)
            room.seats.add()
            await second

    run_virtually(go())


def test_whose_connection_is_gone_is_found_out_without_his_turn() -> None:
    async def go() -> None:
        async with hall() as room:
            there = True
            first = room.waiting.stand(room.asker(gone=lambda: not there))
            mine = room.waiting.stand(room.asker())
            assert room.waiting.queue.position(mine.number) == 2
            there = False
            with pytest.raises(CallerGone):
                await first.end
            assert room.waiting.queue.position(mine.number) == 1
            assert asyncio.get_running_loop().time() <= 1
            room.waiting.leave(mine)
            room.waiting.leave(mine)
            assert len(room.waiting) == 0

    run_virtually(go())


def test_what_was_first_told_is_held_against_what_came() -> None:
    async def go() -> None:
        async with hall() as room:
            turns = [room.waiting.stand(room.asker(str(at))) for at in range(3)]
            for turn in turns:
                turn.told = (0.0, 2.0, 5.0)
            for at_s in (1.0, 3.0):
                await asyncio.sleep(at_s - asyncio.get_running_loop().time())
                room.seats.add()
            await asyncio.gather(*(turn.end for turn in turns[:2]))
            await asyncio.sleep(3)
            room.waiting.leave(turns[2])
            honesty = room.waiting.honesty
            assert (honesty.sooner, honesty.inside, honesty.later) == (1, 1, 1)

    run_virtually(go())
